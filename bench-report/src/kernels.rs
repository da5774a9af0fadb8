//! The C kernels: `scenarios/c`, in sizes that take native code about half a second.

/// A kernel and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// The name of its file, without `.c`.
    pub name: &'static str,
    /// The repetitions that it is asked for: `DEFN`.
    pub repetitions: u32,
    /// Its `N`, where it has one that can be set.
    pub size: Option<u32>,
    /// Whether it only copies memory: left out of the mean, because such a loop says more about the host's `memcpy`
    /// than about an engine.
    pub copies: bool,
}

const fn kernel(name: &'static str, repetitions: u32, size: Option<u32>) -> Kernel {
    Kernel {
        name,
        repetitions,
        size,
        copies: false,
    }
}

const fn copying(name: &'static str, repetitions: u32) -> Kernel {
    Kernel {
        copies: true,
        ..kernel(name, repetitions, None)
    }
}

/// All of them.
pub const ALL: [Kernel; 11] = [
    kernel("sieve", 28, Some(4_000_000)),
    kernel("fib", 41, None),
    kernel("matmul", 4_000, None),
    kernel("crcbit", 640, None),
    kernel("crctab", 4_000, None),
    kernel("qsort", 6, Some(1 << 20)),
    kernel("list", 60_000, None),
    copying("bytecpy", 20_000),
    copying("wordcpy", 70_000),
    kernel("collatz", 1_800_000, None),
    kernel("xorshift", 300_000_000, None),
];

impl Kernel {
    /// The kernel with about one part in `divisor` of its work.
    #[must_use]
    pub fn divided(self, divisor: u32) -> Kernel {
        // The work of this one doubles with every three steps of its argument, nearly.
        let repetitions = match self.name {
            "fib" => self.repetitions - (divisor.max(1).ilog2() * 3).div_ceil(2).min(20),
            _ => (self.repetitions / divisor.max(1)).max(1),
        };
        Kernel { repetitions, ..self }
    }

    /// What a compiler has to be told.
    pub fn defines(&self) -> Vec<String> {
        let size = self.size.map(|size| format!("-DN={size}"));
        [format!("-DDEFN={}", self.repetitions)]
            .into_iter()
            .chain(size)
            .collect()
    }
}
