//! Reading an input as a choice and some bytes: what a target decides on comes from the input alone.

/// The bytes of an input, taken from its end: what stands first stays a readable document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pieces<'a> {
    rest: &'a [u8],
}

impl<'a> Pieces<'a> {
    pub(crate) fn of(data: &'a [u8]) -> Self {
        Self { rest: data }
    }

    /// A choice of `count`: the input's last byte; 0 when there is none.
    pub(crate) fn choice(&mut self, count: usize) -> usize {
        let Some((last, rest)) = self.rest.split_last() else {
            return 0;
        };
        self.rest = rest;
        usize::from(*last) % count.max(1)
    }

    /// What is left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// `data` cut at places that the data themselves tell, small pieces and large.
pub(crate) fn cuts(data: &[u8], salt: usize) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let (mut rest, mut state) = (data, salt.wrapping_mul(2_654_435_761).wrapping_add(1));
    while !rest.is_empty() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let size = match (state >> 40) % 4 {
            0 => 1,
            1 => 2 + (state >> 45) % 5,
            2 => 7 + (state >> 45) % 60,
            _ => 1 + (state >> 45) % 1_500,
        };
        let (piece, tail) = rest.split_at(size.min(rest.len()));
        pieces.push(piece);
        rest = tail;
    }
    pieces
}
