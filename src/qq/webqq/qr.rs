//! Reads the text out of a QR picture, to draw it in a terminal. Pure.

use std::io::Cursor;

/// A QR picture of the service is 165 pixels wide.
const WIDTH_MAX: usize = 1000;

/// The text in a PNG of a QR code. Nothing when it cannot be read: the picture itself is what counts.
pub(super) fn text_of(png: &[u8]) -> Option<String> {
    let limits = png::Limits { bytes: 8 << 20 };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(png), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = (
        usize::try_from(reader.info().width).ok()?,
        usize::try_from(reader.info().height).ok()?,
    );
    if width > WIDTH_MAX || height > WIDTH_MAX {
        return None;
    }
    let samples = reader.output_color_type().0.samples();
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let line = reader.next_frame(&mut pixels).ok()?.line_size;
    // The first sample will do: a QR code is black and white. A transparent pixel would be white.
    let grey = |x: usize, y: usize| {
        let pixel = pixels.get(y * line + x * samples..).and_then(|p| p.get(..samples));
        match pixel {
            Some([_, 0] | [_, _, _, 0]) | None => 255,
            Some(pixel) => pixel[0],
        }
    };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    let grids = image.detect_grids();
    let (_, text) = grids.first()?.decode().ok()?;
    Some(text)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A QR code as the service draws it: a few pixels each, a white border.
    pub(in crate::qq::webqq) fn picture(text: &str) -> Vec<u8> {
        const SCALE: usize = 5;
        const BORDER: usize = 4;
        let code = qrcode::QrCode::new(text).expect("a short text");
        let modules = code.width();
        let width = (modules + 2 * BORDER) * SCALE;
        let mut pixels = vec![255_u8; width * width];
        for y in 0..modules * SCALE {
            for x in 0..modules * SCALE {
                if code[(x / SCALE, y / SCALE)] == qrcode::Color::Dark {
                    pixels[(y + BORDER * SCALE) * width + x + BORDER * SCALE] = 0;
                }
            }
        }
        let mut png = Vec::new();
        let side = u32::try_from(width).expect("small");
        let mut encoder = png::Encoder::new(&mut png, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().expect("a header");
        writer.write_image_data(&pixels).expect("pixels");
        writer.finish().expect("an end");
        png
    }

    #[test]
    fn reads_what_was_written() {
        let text = "http://txz.qq.com/p?k=abcDEF0123456789&f=501004106";
        assert_eq!(text_of(&picture(text)).as_deref(), Some(text));
    }

    #[test]
    fn what_is_no_code_is_nothing() {
        assert_eq!(text_of(b""), None);
        assert_eq!(text_of(b"\x89PNG\r\n\x1a\n"), None);
        let mut cut = picture("x");
        cut.truncate(cut.len() / 2);
        text_of(&cut);
    }
}
