//! The files of the page. They are read once, so no path of a request ever reaches the file system.

use std::{
    collections::HashMap,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use axum::http::HeaderValue;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// The page that was built before this program was; empty when there was none.
#[derive(rust_embed::Embed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct BuiltIn;

/// The file that is the page itself.
const INDEX: &str = "index.html";
/// Where the page's nonce stands in it.
pub(crate) const NONCE_MARK: &str = "__CSP_NONCE__";
/// A page has a few dozen files; a folder with more is another folder.
const FILES_MAX: usize = 2_000;
/// More than any page; all of it is held in memory.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Shown in place of a page that was not built.
const NOT_BUILT: &str = include_str!("not-built.html");

/// Why the page cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The folder or a file in it cannot be read.
    #[error("the page in {path} cannot be read: {source}")]
    Unreadable {
        /// Which folder.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The folder holds no page.
    #[error("{path} holds no page: there is no index.html in it (build one with `npm run build` in web/)")]
    NoIndex {
        /// Which folder.
        path: String,
    },
    /// The folder holds more than a page.
    #[error("{path} is too large to be a page: more than {FILES_MAX} files or {} MiB", BYTES_MAX >> 20)]
    TooLarge {
        /// Which folder.
        path: String,
    },
}

/// The page, ready to be sent.
pub(crate) struct Files {
    /// The page itself, with [`NONCE_MARK`] where its nonce goes.
    pub(crate) index: String,
    others: HashMap<String, File>,
}

/// One file, ready to be sent.
pub(crate) struct File {
    pub(crate) body: Bytes,
    /// The same, compressed, where that is worth it.
    pub(crate) gzip: Option<Bytes>,
    pub(crate) content_type: HeaderValue,
    pub(crate) tag: HeaderValue,
}

impl Files {
    /// Reads the page from `folder`, or the one inside the program.
    pub(crate) fn read(folder: Option<&Path>) -> Result<Files, PageError> {
        let Some(folder) = folder else {
            let files = BuiltIn::iter().filter_map(|path| {
                BuiltIn::get(&path).map(|file| (path.into_owned(), file.data.into_owned()))
            });
            return Ok(Self::new(files).unwrap_or_else(|| {
                tracing::warn!("this program was built without the page; `npm run build` in web/ makes it");
                Files { index: NOT_BUILT.to_owned(), others: HashMap::new() }
            }));
        };
        let path = folder.display().to_string();
        let files = read_folder(folder).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => PageError::TooLarge { path: path.clone() },
            _ => PageError::Unreadable { path: path.clone(), source: error },
        })?;
        Self::new(files).ok_or(PageError::NoIndex { path })
    }

    /// The file of a path without its leading slash.
    pub(crate) fn get(&self, path: &str) -> Option<&File> {
        self.others.get(path)
    }

    fn new(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Option<Files> {
        let mut index = None;
        let mut others = HashMap::new();
        for (path, body) in files {
            if path == INDEX {
                index = Some(String::from_utf8_lossy(&body).into_owned());
            } else {
                let file = File::new(&path, body);
                others.insert(path, file);
            }
        }
        index.map(|index| Files { index, others })
    }
}

impl File {
    fn new(path: &str, body: Vec<u8>) -> File {
        let content_type = content_type(path);
        let digest: String = Sha256::digest(&body)[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        let tag = HeaderValue::try_from(format!("\"{digest}\"")).expect("hexadecimal digits in quotes");
        let gzip = gzip(&body).filter(|gzip| gzip.len() < body.len() * 9 / 10);
        let content_type = HeaderValue::from_static(content_type);
        File { body: body.into(), gzip, content_type, tag }
    }
}

fn gzip(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 3), Compression::new(8));
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "png" => "image/png",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// All plain files below a folder, by their path with `/` between the parts. Links are not followed.
fn read_folder(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut bytes = 0;
    let mut folders: Vec<(String, PathBuf)> = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else {
                continue;
            };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push((format!("{name}/"), entry.path()));
            } else if kind.is_file() {
                bytes += entry.metadata()?.len();
                if files.len() == FILES_MAX || bytes > BYTES_MAX {
                    return Err(io::ErrorKind::FileTooLarge.into());
                }
                files.push((name, std::fs::read(entry.path())?));
            }
        }
    }
    Ok(files)
}
