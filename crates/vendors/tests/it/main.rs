//! The vendors from outside: one binary, so that one link serves them all.

mod cal;
mod claude;
mod clickup;
mod slack;
