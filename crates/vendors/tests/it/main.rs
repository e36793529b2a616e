//! The vendors from outside: one binary, so that one link serves them all.

mod cal;
mod clickup;
mod slack;
