//! The picture of a captcha: four letters as JPEG, as the service gave it (webqq.md §2.2).
//!
//! Every dot of a letter is one block of eight by eight pixels, so that the JPEG needs nothing but the mean of each block.

use rand::Rng;

/// The letters that are used, one a line: the letter, then its seven rows of five dots.
const LETTERS: &str = include_str!("letters.txt");
/// How many letters a captcha has.
const LENGTH: usize = 4;
/// Dots of a letter with the gap behind it.
const STEP: usize = 6;
/// Rows of dots of a letter.
const HEIGHT: usize = 7;
/// Dots around the letters.
const MARGIN: usize = 1;
/// The code of "no more coefficients" in our own table of them: one bit, 0.
const END_OF_BLOCK: (u32, u8) = (0, 1);

/// Four letters that can be told apart.
pub(crate) fn code() -> String {
    let letters: Vec<char> = LETTERS.lines().filter_map(|line| line.chars().next()).collect();
    let mut rng = rand::rng();
    (0..LENGTH)
        .map(|_| letters[rng.random_range(0..letters.len())])
        .collect()
}

/// The picture of a code.
pub(crate) fn picture(code: &str) -> Vec<u8> {
    let width = code.len() * STEP + 2 * MARGIN - 1;
    let height = HEIGHT + 2 * MARGIN;
    let mut rng = rand::rng();
    let mut dots = vec![vec![false; width]; height];
    for (place, letter) in code.chars().enumerate() {
        let line = LETTERS
            .lines()
            .find(|line| line.starts_with(letter))
            .unwrap_or_default();
        for (y, row) in line.split(' ').skip(1).enumerate() {
            for (x, _) in row.char_indices().filter(|(_, dot)| *dot == '#') {
                dots[MARGIN + y][MARGIN + place * STEP + x] = true;
            }
        }
    }
    let shades = dots.into_iter().flatten().map(|dark| {
        let noise = rng.random_range(0..40);
        if dark { noise - 120 } else { 120 - noise }
    });
    jpeg(&shades.collect::<Vec<i32>>(), width, height)
}

/// A grey JPEG of blocks, each of one shade from -128 to 127.
fn jpeg(shades: &[i32], width: usize, height: usize) -> Vec<u8> {
    let side = |blocks: usize| u16::try_from(blocks * 8).unwrap_or(u16::MAX).to_be_bytes();
    let (w, h) = (side(width), side(height));
    let mut file = vec![0xFF, 0xD8];
    // The mean of a block is an eighth of its first coefficient: quantised by 8 it is the shade itself.
    let mut quantities = vec![0];
    quantities.extend([8; 64]);
    segment(&mut file, 0xDB, &quantities);
    segment(&mut file, 0xC0, &[8, h[0], h[1], w[0], w[1], 1, 1, 0x11, 0]);
    // The usual table of the differences between means, and one of a single code for "nothing else".
    segment(
        &mut file,
        0xC4,
        &[
            0, 0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
        ],
    );
    segment(
        &mut file,
        0xC4,
        &[0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    );
    segment(&mut file, 0xDA, &[1, 1, 0, 0, 63, 0]);
    let mut bits = Bits::default();
    let mut before = 0;
    for shade in shades {
        bits.difference(shade - before);
        bits.push(END_OF_BLOCK);
        before = *shade;
    }
    file.extend(bits.end());
    file.extend([0xFF, 0xD9]);
    file
}

fn segment(file: &mut Vec<u8>, marker: u8, body: &[u8]) {
    let length = u16::try_from(body.len() + 2).unwrap_or(u16::MAX).to_be_bytes();
    file.extend([0xFF, marker, length[0], length[1]]);
    file.extend(body);
}

/// Bits on their way into bytes.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u32,
    count: u8,
}

impl Bits {
    /// The code of a difference: how many bits it has, and these.
    fn difference(&mut self, difference: i32) {
        let size = u8::try_from(32 - difference.unsigned_abs().leading_zeros()).unwrap_or(0);
        self.push(match size {
            0 => (0, 2),
            1..=5 => (u32::from(size) + 1, 3),
            // From here on: a row of ones and a zero.
            _ => ((1 << (size - 2)) - 2, size - 2),
        });
        let bits = if difference < 0 {
            difference + (1 << size) - 1
        } else {
            difference
        };
        self.push((bits.unsigned_abs(), size));
    }

    fn push(&mut self, (code, length): (u32, u8)) {
        for place in (0..length).rev() {
            self.held = self.held << 1 | (code >> place & 1);
            self.count += 1;
            if self.count == 8 {
                let byte = u8::try_from(self.held).unwrap_or(0xFF);
                self.bytes.push(byte);
                if byte == 0xFF {
                    self.bytes.push(0);
                }
                (self.held, self.count) = (0, 0);
            }
        }
    }

    fn end(mut self) -> Vec<u8> {
        while self.count != 0 {
            self.push((1, 1));
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_a_whole_jpeg() {
        let code = code();
        assert_eq!(code.len(), LENGTH);
        let picture = picture(&code);
        assert!(picture.starts_with(&[0xFF, 0xD8, 0xFF, 0xDB]) && picture.ends_with(&[0xFF, 0xD9]));
        let mut bits = Bits::default();
        bits.difference(-3);
        bits.difference(0);
        bits.difference(200);
        // 011 00, 00, 111110 11001000
        assert_eq!(bits.end(), [0b0110_0001, 0b1111_0110, 0b0100_0111]);
    }
}
