//! A release build holds the page inside; cargo has to look at it again when it was built anew.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A build for development reads the page when it starts, so it does not depend on it.
    if std::env::var("PROFILE").as_deref() == Ok("release") {
        println!("cargo::rerun-if-changed=../../web/dist");
    }
}
