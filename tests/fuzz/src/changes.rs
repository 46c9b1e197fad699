//! Inputs made from seeds by changes that are always the same.

/// Random numbers (xorshift64*, Vigna 2016).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers that begin with `start`.
    pub fn new(start: u64) -> Self {
        // It must not be zero.
        Self(start | 1 << 63)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `end`; 0 if `end` is.
    fn below(&mut self, end: usize) -> usize {
        // The upper bits are the better ones.
        let upper = usize::try_from(self.next() >> 32).unwrap_or(0);
        upper.checked_rem(end).unwrap_or(0)
    }

    /// A range in `0..end`, short more often than long.
    fn range(&mut self, end: usize) -> std::ops::Range<usize> {
        let start = self.below(end + 1);
        let most = match self.below(4) {
            0 => end - start,
            1 => 64,
            _ => 8,
        };
        let length = self.below(most.min(end - start) + 1);
        start..start + length
    }
}

/// What readers take for more than a character.
const MARKS: [&[u8]; 30] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"\"",
    b"'",
    b"\\",
    b"#",
    b":",
    b": ",
    b"- ",
    b"{",
    b"}",
    b"[",
    b"]",
    b"&a ",
    b"*a",
    b"<<",
    b"!",
    b"..",
    b"/",
    b"@",
    b"=",
    b"${A:-b}",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"18446744073709551616",
    b"-1",
];

/// A copy of the seed `index` with a few changes; other seeds lend parts.
pub fn changed(seeds: &[Vec<u8>], index: usize, random: &mut Random) -> Vec<u8> {
    let mut data = seeds[index].clone();
    for _ in 0..=random.below(4) {
        change(&mut data, seeds, random);
    }
    data
}

fn change(data: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let range = random.range(data.len());
    match random.below(8) {
        0 => {
            if let Some(byte) = data.get_mut(range.start) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => {
            let byte = u8::try_from(random.below(256)).unwrap_or(0);
            data.splice(range, [byte]);
        }
        2 => drop(data.drain(range)),
        3 => data.truncate(range.start),
        4 => {
            let times = random.below(40);
            let part = data[range.clone()].repeat(times);
            data.splice(range.start..range.start, part);
        }
        5 => {
            let mark = MARKS[random.below(MARKS.len())];
            data.splice(range, mark.iter().copied());
        }
        6 => {
            let to = random.below(data.len() + 1);
            let part = data[range].to_vec();
            data.splice(to..to, part);
        }
        _ => {
            let other = &seeds[random.below(seeds.len())];
            let part = other[random.range(other.len())].to_vec();
            data.splice(range, part);
        }
    }
}
