//! Which of the editor's rewrites are on. How they are done is in `markdown.rs`.

/// How a hard line break (two spaces or a backslash at the end) is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HardBreak {
    Newline,
    Backslash,
    Spaces,
}

/// The rewrites. The default is moderately nasty; [`Rerender::none`] keeps every byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rerender {
    /// `*`, `+` and `-` bullets become this one.
    pub bullet: Option<char>,
    /// A rule (`---`, `***`, `___`) becomes this.
    pub rule: Option<&'static str>,
    /// Text underlined with `---` or `===` becomes a `##` or `#` heading: a rule
    /// needs a blank line before it.
    pub setext_headings: bool,
    pub hard_break: Option<HardBreak>,
    pub trim_trailing: bool,
    /// Several blank lines become one; none stay at either end.
    pub collapse_blank: bool,
    /// Blank lines between a paragraph and a list, on both sides.
    pub space_lists: bool,
    /// Blank lines around headings and rules.
    pub space_headings: bool,
    /// Every line of a paragraph becomes a paragraph. Off by default.
    pub lines_are_paragraphs: bool,
    pub drop_html_comments: bool,
    /// `__bold__` becomes `**bold**`.
    pub bold_stars: bool,
    /// `_italic_` becomes `*italic*`.
    pub italic_stars: bool,
    /// `snake_case` becomes `snake\_case`.
    pub escape_underscores: bool,
    /// A `[` that begins no link becomes `\[`.
    pub escape_brackets: bool,
    /// `<` becomes `\<`. Off by default.
    pub escape_angles: bool,
    /// `\!` becomes `!` where the backslash changes nothing.
    pub drop_needless_escapes: bool,
    /// `https://x` and `<https://x>` become `[https://x](https://x)`.
    pub link_bare_urls: bool,
}

impl Default for Rerender {
    fn default() -> Self {
        Self {
            bullet: Some('-'),
            rule: Some("* * *"),
            setext_headings: true,
            hard_break: Some(HardBreak::Newline),
            trim_trailing: true,
            collapse_blank: true,
            space_lists: true,
            space_headings: true,
            lines_are_paragraphs: false,
            drop_html_comments: true,
            bold_stars: true,
            italic_stars: true,
            escape_underscores: true,
            escape_brackets: true,
            escape_angles: false,
            drop_needless_escapes: true,
            link_bare_urls: true,
        }
    }
}

impl Rerender {
    /// Keeps what was written, byte for byte.
    pub fn none() -> Self {
        Self {
            bullet: None,
            rule: None,
            setext_headings: false,
            hard_break: None,
            trim_trailing: false,
            collapse_blank: false,
            space_lists: false,
            space_headings: false,
            lines_are_paragraphs: false,
            drop_html_comments: false,
            bold_stars: false,
            italic_stars: false,
            escape_underscores: false,
            escape_brackets: false,
            escape_angles: false,
            drop_needless_escapes: false,
            link_bare_urls: false,
        }
    }

    /// Everything on, with other choices than the default where there is a choice.
    pub fn nastiest() -> Self {
        Self {
            bullet: Some('*'),
            rule: Some("***"),
            hard_break: Some(HardBreak::Backslash),
            lines_are_paragraphs: true,
            escape_angles: true,
            ..Self::default()
        }
    }
}
