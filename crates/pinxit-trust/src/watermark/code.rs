//! The channel code: a CRC-24 that decides, a convolutional code (K = 7, rate ½) that corrects, and a soft Viterbi
//! decoder that returns the best few messages, of which the CRC picks one.

/// Length of the checksum, bits.
pub(super) const CRC_BITS: usize = 24;
/// Zero bits after the message that bring the encoder back to its first state.
const TAIL_BITS: usize = 6;
const STATES: usize = 64;
/// Generator polynomials 171 and 133 (octal), the newest bit lowest (Odenwalder 1970; CCSDS 131.0-B).
const GENERATORS: [u8; 2] = [0o171, 0o133];
/// How many messages the decoder keeps in each state. They cost a factor of 16 in chance passes of the checksum, which the
/// energy threshold more than pays for.
pub(super) const LIST: usize = 16;

/// Coded bits of a message with `id_bits` bits: `2 × (id + 24 + 6)`.
pub(super) const fn coded_bits(id_bits: usize) -> usize {
    2 * (id_bits + CRC_BITS + TAIL_BITS)
}

/// CRC-24 of OpenPGP (RFC 9580, section 6.1.1): polynomial 864CFB, start B704CE, over bits in the order given.
pub(super) fn crc24(bits: impl IntoIterator<Item = bool>) -> u32 {
    bits.into_iter().fold(0x00B7_04CE, |crc, bit| {
        let carry = (crc >> 23 & 1 == 1) != bit;
        (crc << 1 & 0x00FF_FFFF) ^ if carry { 0x0086_4CFB } else { 0 }
    })
}

/// The lowest `count` bits of `value`, highest first.
fn bits_of(value: u64, count: usize) -> impl Iterator<Item = bool> {
    (0..count).rev().map(move |i| value >> i & 1 == 1)
}

/// The coded bits of an id: its `id_bits` bits highest first, their CRC-24, six zeros, through the convolutional encoder.
/// Per message bit the bit of generator 171 comes first, then that of 133.
pub(super) fn encode(id: u64, id_bits: usize) -> Vec<bool> {
    let crc = crc24(bits_of(id, id_bits));
    let message = bits_of(id, id_bits).chain(bits_of(u64::from(crc), CRC_BITS)).chain([false; TAIL_BITS]);
    let mut register = 0u8;
    let mut coded = Vec::with_capacity(coded_bits(id_bits));
    for bit in message {
        register = (register << 1 | u8::from(bit)) & 0x7F;
        coded.extend(GENERATORS.map(|g| parity(register & g)));
    }
    coded
}

fn parity(value: u8) -> bool {
    value.count_ones() & 1 == 1
}

/// One way to reach a state: its score, and which state (5 + 1 bits) and place in that state's list it came from.
#[derive(Clone, Copy)]
struct Path {
    score: f32,
    from: u8,
    rank: u8,
}

const NO_PATH: Path = Path { score: f32::NEG_INFINITY, from: 0, rank: 0 };

/// The id whose checksum is right among the [`LIST`] likeliest messages, if there is one.
///
/// `soft` holds one number per coded bit, positive for 1, in units of its noise. Parallel list Viterbi (Seshadri and
/// Sundberg 1994, "List Viterbi decoding algorithms with applications"): every state keeps its best 16 paths.
pub(super) fn decode(soft: &[f32], id_bits: usize) -> Option<u64> {
    debug_assert_eq!(soft.len(), coded_bits(id_bits));
    let steps = soft.len() / 2;
    let mut paths = vec![[NO_PATH; LIST]; STATES];
    paths[0][0].score = 0.0;
    let mut history = Vec::with_capacity(steps);
    for t in 0..steps {
        paths = step(&paths, [soft[2 * t], soft[2 * t + 1]]);
        history.push(paths.clone());
    }
    (0..LIST).find_map(|rank| checked(&history, rank, id_bits))
}

/// One message bit further: each new state merges the lists of its two predecessors.
fn step(paths: &[[Path; LIST]], soft: [f32; 2]) -> Vec<[Path; LIST]> {
    let mut next = vec![[NO_PATH; LIST]; STATES];
    for (state, list) in next.iter_mut().enumerate() {
        // The register before its shift held `state >> 1`, with the bit that falls out as its highest.
        let from = [state >> 1, state >> 1 | 0x20];
        let gain = from.map(|f| branch((f << 1 | state & 1) as u8, soft));
        let mut at = [0usize; 2];
        for path in list.iter_mut() {
            let score = |i: usize| paths[from[i]][at[i]].score + gain[i];
            let better = usize::from(score(1) > score(0));
            *path = Path { score: score(better), from: from[better] as u8, rank: at[better] as u8 };
            at[better] += 1;
            if path.score == f32::NEG_INFINITY {
                break;
            }
        }
    }
    next
}

/// Correlation of the two received numbers with the coded bits of a register.
fn branch(register: u8, soft: [f32; 2]) -> f32 {
    let sign = |g: u8| if parity(register & g) { 1.0 } else { -1.0 };
    soft[0] * sign(GENERATORS[0]) + soft[1] * sign(GENERATORS[1])
}

/// Walks the path of this rank back from the last state, which the tail made 0; its id if the checksum is right.
fn checked(history: &[Vec<[Path; LIST]>], rank: usize, id_bits: usize) -> Option<u64> {
    let mut bits = vec![false; history.len()];
    let (mut state, mut rank) = (0usize, rank);
    for (bit, lists) in bits.iter_mut().zip(history).rev() {
        let path = lists[state][rank];
        if path.score == f32::NEG_INFINITY {
            return None;
        }
        *bit = state & 1 == 1;
        (state, rank) = (usize::from(path.from), usize::from(path.rank));
    }
    let number = |bits: &[bool]| bits.iter().fold(0u64, |n, bit| n << 1 | u64::from(*bit));
    let (id, rest) = bits.split_at(id_bits);
    (number(&rest[..CRC_BITS]) == u64::from(crc24(id.iter().copied()))).then(|| number(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_checksum_of_the_published_example() {
        let digits = b"123456789".iter().flat_map(|byte| bits_of(u64::from(*byte), 8));
        assert_eq!(crc24(digits), 0x0021_CF02, "CRC-24/OPENPGP of \"123456789\", as catalogues of CRCs give it");
    }

    /// The encoder as the textbook draws it: two sums over the last seven bits.
    fn naive(message: &[bool]) -> Vec<bool> {
        let taps = [[1, 1, 1, 1, 0, 0, 1], [1, 0, 1, 1, 0, 1, 1]];
        let bit = |t: usize, back: usize| t >= back && message[t - back];
        let sum = |t: usize, taps: &[i32; 7]| (0..7).filter(|back| taps[6 - back] == 1 && bit(t, *back)).count() % 2 == 1;
        (0..message.len()).flat_map(|t| [sum(t, &taps[0]), sum(t, &taps[1])]).collect()
    }

    #[test]
    fn the_encoder_is_the_textbooks() {
        for id in [0, 1, 0x00AB_CDEF, 0x00FF_FFFF] {
            let crc = u64::from(crc24(bits_of(id, 24)));
            let message: Vec<bool> = bits_of(id, 24).chain(bits_of(crc, 24)).chain([false; 6]).collect();
            assert_eq!(encode(id, 24), naive(&message));
        }
    }

    /// Every message of 6 bits and its tail: the best score by trying all is the best of the decoder's last state.
    #[test]
    fn the_decoders_first_path_is_the_best_of_all() {
        let soft: Vec<f32> = (0..24).map(|i| ((i * 37 + 11) % 23) as f32 / 7.0 - 1.6).collect();
        let mut paths = vec![[NO_PATH; LIST]; STATES];
        paths[0][0].score = 0.0;
        for t in 0..12 {
            paths = step(&paths, [soft[2 * t], soft[2 * t + 1]]);
        }
        let mut all: Vec<f32> = (0..64u64)
            .map(|m| {
                let message: Vec<bool> = bits_of(m, 6).chain([false; 6]).collect();
                naive(&message).iter().zip(&soft).map(|(bit, s)| if *bit { *s } else { -s }).sum()
            })
            .collect();
        all.sort_by(|a: &f32, b| b.total_cmp(a));
        for (path, best) in paths[0].iter().zip(&all) {
            assert!((path.score - best).abs() < 1e-4, "{} {best}", path.score);
        }
    }

    fn as_soft(coded: &[bool]) -> Vec<f32> {
        coded.iter().map(|bit| if *bit { 1.0 } else { -1.0 }).collect()
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(id in 0u64..1 << 48) {
            prop_assert_eq!(decode(&as_soft(&encode(id, 48)), 48), Some(id));
            prop_assert_eq!(decode(&as_soft(&encode(id & 0xFF_FFFF, 24)), 24), Some(id & 0xFF_FFFF));
        }

        /// The code's free distance is 10: any four coded bits may be turned over.
        #[test]
        fn four_wrong_bits_are_corrected(id in 0u64..1 << 48, at in proptest::array::uniform4(0usize..156)) {
            let mut soft = as_soft(&encode(id, 48));
            for i in at {
                soft[i] = -soft[i].signum();
            }
            let distinct = { let mut a = at; a.sort_unstable(); a.windows(2).all(|w| w[0] != w[1]) };
            prop_assume!(distinct);
            prop_assert_eq!(decode(&soft, 48), Some(id));
        }

        #[test]
        fn nonsense_is_no_message(soft in proptest::collection::vec(-3.0f32..3.0, 156)) {
            prop_assert_eq!(decode(&soft, 48), None);
        }
    }

    #[test]
    fn numbers_that_are_none_do_not_panic() {
        for value in [0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let _ = decode(&vec![value; 156], 48);
        }
    }
}
