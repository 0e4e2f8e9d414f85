//! The SVG as PNG, with fonts that are built in: it looks the same on every machine.

use std::sync::Arc;

use resvg::{tiny_skia, usvg};

use super::PictureError;

/// Pixels of the PNG for one of the SVG: sharp on today's displays and on paper.
const PIXELS: f32 = 2.0;

/// Inter, in the Latin letters that our texts use; see `fonts/README.md`.
const FONTS: [&[u8]; 2] =
    [include_bytes!("../../fonts/inter-400.ttf"), include_bytes!("../../fonts/inter-600.ttf")];

/// Renders the picture.
pub(super) fn render(svg: &str) -> Result<Vec<u8>, PictureError> {
    let mut fonts = usvg::fontdb::Database::new();
    FONTS.into_iter().for_each(|font| fonts.load_font_data(font.to_vec()));
    let options = usvg::Options {
        font_family: "Inter".to_owned(),
        fontdb: Arc::new(fonts),
        ..usvg::Options::default()
    };
    let failed = |error: &dyn std::fmt::Display| PictureError::Render(error.to_string());
    let tree = usvg::Tree::from_str(svg, &options).map_err(|error| failed(&error))?;
    let size = tree.size();
    let (width, height) = ((size.width() * PIXELS).ceil() as u32, (size.height() * PIXELS).ceil() as u32);
    let mut canvas = tiny_skia::Pixmap::new(width, height).ok_or_else(|| failed(&"it has no size"))?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(PIXELS, PIXELS), &mut canvas.as_mut());
    canvas.encode_png().map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_weights_of_the_font_are_found_by_its_name() {
        let mut fonts = usvg::fontdb::Database::new();
        FONTS.into_iter().for_each(|font| fonts.load_font_data(font.to_vec()));
        let faces: Vec<_> = fonts.faces().map(|face| (face.families[0].0.as_str(), face.weight.0)).collect();
        assert_eq!(faces, [("Inter", 400), ("Inter", 600)]);
    }
}
