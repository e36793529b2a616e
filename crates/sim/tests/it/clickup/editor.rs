//! What the editor does to markdown.

use serde_json::json;
use sim::clickup::{Config, Rerender, rerender};

use super::{BROKERS, get, post, workspace};

#[test]
fn markdown_is_printed_the_editors_way() {
    let how = Rerender::default();
    for (written, read) in [
        ("* one\n+ two", "- one\n- two"),
        ("__bold__ and **bold**", "**bold** and **bold**"),
        ("trailing   \n\n\n\n\nblank", "trailing\n\nblank"),
        ("text\n- item", "text\n\n- item"),
        ("snake_case_name", "snake\\_case\\_name"),
        ("a [bracket", "a \\[bracket"),
        ("needless \\! escape \\, here", "needless ! escape , here"),
        ("needed \\* escape", "needed \\* escape"),
        ("<!-- hidden -->shown", "shown"),
        ("hard  \nbreak", "hard\nbreak"),
        ("hard\\\nbreak", "hard\nbreak"),
        (
            "see https://x.example/a",
            "see [https://x.example/a](https://x.example/a)",
        ),
        ("a\n\n---\n\nb", "a\n\n* * *\n\nb"),
        ("\n\n  \nbody\n\n", "body"),
        (
            "[Join](https://meet.example/a_b)",
            "[Join](https://meet.example/a_b)",
        ),
        ("`booking:bk_7Qd3`", "`booking:bk_7Qd3`"),
    ] {
        assert_eq!(rerender(written, &how), read, "{written:?}");
    }
}

#[test]
fn without_rewrites_every_byte_is_kept() {
    let text = "\n* a_b  \r\n\n\n\n<!-- c -->__d__ \\! https://x.example ";
    assert_eq!(rerender(text, &Rerender::none()), text);
}

#[test]
fn printing_twice_changes_nothing_more() {
    let pieces = [
        "* ",
        "- ",
        "+ ",
        "1. ",
        "__",
        "**",
        "_",
        "*",
        "a",
        "b c",
        "word_word",
        "\\",
        "\\_",
        "\\!",
        "\\[",
        "[",
        "]",
        "(",
        ")",
        "](",
        "<",
        ">",
        "<!--",
        "-->",
        "`",
        "```",
        "\n",
        "\n\n",
        "\n\n\n\n",
        "  \n",
        "\\\n",
        "---",
        "***",
        "* * *",
        "===",
        "# ",
        "> ",
        "| a |",
        "https://x.example/a_b",
        "<https://y.example>",
        "[t](https://z.example)",
        "é",
        "🙂",
        " ",
        "  ",
        "\r\n",
        "\t",
    ];
    let mut seed = 1_u64;
    for how in [Rerender::default(), Rerender::nastiest()] {
        for round in 0..12_000 {
            let mut text = String::new();
            for _ in 0..(round % 14) {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
            }
            let once = rerender(&text, &how);
            assert_eq!(rerender(&once, &how), once, "written {text:?}");
        }
    }
}

#[tokio::test]
async fn what_is_read_is_not_what_was_written() {
    let sim = workspace(Config::default()).await;
    let body = json!({"name": "Ada", "markdown_content": "* a_b\n* https://x.example"});
    let task = post(&sim, &format!("/v2/list/{BROKERS}/task"), body).await;
    let expected = "- a\\_b\n- [https://x.example](https://x.example)";
    assert_eq!(task["markdown_description"], expected);
    let id = task["id"].as_str().expect("an id");
    let path = format!("/v2/task/{id}?include_markdown_description=true");
    let read = get(&sim, &path).await;
    assert_eq!(read["markdown_description"], expected);
    assert_eq!(read["description"], "a_b\nhttps://x.example");
}
