//! Which instruction set the kernels run on.
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Instruction sets there are kernels for, slowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// Any machine.
    Portable,
    /// aarch64, every one.
    Neon,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512F.
    Avx512,
}

impl Isa {
    /// All of them, slowest first.
    pub const ALL: [Isa; 4] = [Isa::Portable, Isa::Neon, Isa::Avx2, Isa::Avx512];

    /// True when this machine can run it.
    pub fn available(self) -> bool {
        match self {
            Isa::Portable => true,
            Isa::Neon => cfg!(target_arch = "aarch64"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => is_x86_feature_detected!("avx512f"),
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx2 | Isa::Avx512 => false,
        }
    }
}

impl std::fmt::Display for Isa {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Isa::Portable => "portable",
            Isa::Neon => "NEON",
            Isa::Avx2 => "AVX2",
            Isa::Avx512 => "AVX-512",
        })
    }
}

/// Index into [`Isa::ALL`] plus one; 0 before the first use.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// Uses `isa` from the next kernel on. Returns false, and changes nothing, where the machine lacks it.
/// Results differ between sets in the last bits.
pub fn set_isa(isa: Isa) -> bool {
    let can = isa.available();
    if can {
        CHOSEN.store(isa as u8 + 1, Relaxed);
    }
    can
}

/// The set in use: the fastest available one unless [`set_isa`] said otherwise.
pub fn isa() -> Isa {
    if let Some(index) = CHOSEN.load(Relaxed).checked_sub(1) {
        return Isa::ALL[index as usize];
    }
    let best = Isa::ALL.into_iter().rev().find(|i| i.available()).unwrap_or(Isa::Portable);
    CHOSEN.store(best as u8 + 1, Relaxed);
    best
}

/// What the kernels run on, for people: `AVX-512, 2 threads`.
pub fn cpu() -> String {
    let threads = crate::pool::threads();
    format!("{}, {threads} thread{}", isa(), if threads == 1 { "" } else { "s" })
}
