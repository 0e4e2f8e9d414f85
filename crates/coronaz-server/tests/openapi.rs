//! The description of the interface that is checked in is the one that the server gives.

use std::path::Path;

/// Writes the file instead, with `UPDATE=1`.
#[test]
fn the_checked_in_description_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/openapi.json");
    let made = coronaz_server::openapi();
    if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
        std::fs::write(&path, made).expect("web/openapi.json can be written");
        return;
    }
    let checked_in = std::fs::read_to_string(&path).expect("web/openapi.json is there");
    assert!(
        made == checked_in,
        "web/openapi.json is old: run `UPDATE=1 cargo test -p coronaz-server --test openapi`, \
         then `npm run types` in web/"
    );
}
