//! A small mutator: the same seed gives the same inputs, on every machine and in every release.
//!
//! It is blind to coverage. Its inputs are for `make test`, where a run must be short and never differ;
//! `make fuzz` has libFuzzer's.

/// Largest input that is made.
const LONGEST: usize = 16 * 1024;

/// Bytes that mean something in most of what is read here.
const TELLING: &[u8] = b"\"\\{}[],:0-eE.\n\r \0\x7f\x80\xc0\xed\xff%/&=";

/// Makes inputs from inputs.
#[derive(Debug)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// One that always does the same.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number: SplitMix64, <https://prng.di.unimi.it/splitmix64.c>.
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when there is none.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 {
            return 0;
        }
        (self.draw() % end as u64) as usize
    }

    /// A changed copy of one of `inputs`.
    pub fn input(&mut self, inputs: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
        let Some(first) = inputs.get(self.below(inputs.len())) else {
            return Vec::new();
        };
        let mut out = first.clone();
        out.truncate(LONGEST);
        for _ in 0..=self.below(4) {
            self.change(&mut out, inputs, words);
        }
        out.truncate(LONGEST);
        out
    }

    fn change(&mut self, out: &mut Vec<u8>, inputs: &[Vec<u8>], words: &[&str]) {
        let (at, to) = self.range(out.len());
        match self.below(10) {
            0 => {
                if let Some(byte) = out.get_mut(at) {
                    *byte ^= 1 << (self.draw() % 8);
                }
            }
            1 => drop(out.drain(at..to)),
            2 => drop(out.splice(at..at, out[at..to].to_vec())),
            3 => out.truncate(at),
            4 => out.insert(at, self.telling()),
            5 => {
                let byte = self.telling();
                if let Some(place) = out.get_mut(at) {
                    *place = byte;
                }
            }
            6 | 7 => {
                let word = words.get(self.below(words.len())).copied().unwrap_or("0");
                let end = if self.below(2) == 0 { at } else { to };
                drop(out.splice(at..end, word.bytes()));
            }
            8 => {
                let other = inputs[self.below(inputs.len())].clone();
                let (from, until) = self.range(other.len());
                drop(out.splice(at..to, other[from..until].iter().copied()));
            }
            _ => {
                let times = self.below(200);
                let piece = out[at..to.min(at + 64)].repeat(times);
                drop(out.splice(at..at, piece));
            }
        }
    }

    fn telling(&mut self) -> u8 {
        TELLING[self.below(TELLING.len())]
    }

    /// A range within `0..length`, most often short.
    fn range(&mut self, length: usize) -> (usize, usize) {
        let at = self.below(length + 1);
        let most = if self.below(4) == 0 { length } else { 16 };
        let to = (at + self.below(most + 1)).min(length);
        (at, to)
    }
}
