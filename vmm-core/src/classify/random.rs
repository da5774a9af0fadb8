//! Numbers that look random and are the same on every host.

/// Where all that is drawn at random begins.
pub(crate) const SEED: u64 = 1974;

/// The generator xorshift64* (S. Vigna, ACM TOMS 42, 2016, section 3). Its state is never 0.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        ((u64::from(self.next()) * u64::from(limit)) >> 32) as u32
    }
}
