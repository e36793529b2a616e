//! The pretended vendors, held to the vendors' fixtures and specifications.

mod cal;
mod cal_api;
mod clickup;
mod slack;
