//! Every example of the help and of the documents is run, against a small laboratory, or stands in a list with the reason
//! why it is not.

mod examples;
mod extract;
mod rules;
mod stand;
