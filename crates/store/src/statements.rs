//! SQL as constants, together in `ALL`, so that a test can prepare each.

macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(const $name: &str = $sql;)*
        #[cfg(test)]
        pub const ALL: &[&str] = &[$($name),*];
    };
}
pub(crate) use statements;
