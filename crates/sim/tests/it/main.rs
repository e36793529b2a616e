//! The pretended vendors, held to the vendors' fixtures and specifications.

mod cal;
mod clickup;
mod slack;
