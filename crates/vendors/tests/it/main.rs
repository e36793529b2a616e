//! The vendors from outside: one binary, so that one link serves them all.

mod cal;
mod cal_api;
mod claude;
mod clickup;
mod failures;
mod openapi;
mod slack;
