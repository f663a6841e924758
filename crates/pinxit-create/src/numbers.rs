//! Numbers inside a recipe: `f32`, little-endian, base64, so that a vector comes back to the last bit and stays one short word of JSON.
use base64ct::{Base64, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A vector of finite numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers(pub Vec<f32>);

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|v| v.to_le_bytes()).collect();
        out.serialize_str(&Base64::encode_string(&bytes))
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = Base64::decode_vec(&text).map_err(|e| de::Error::custom(format!("numbers are not base64: {e}")))?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        let numbers: Vec<f32> = numbers.iter().map(|b| f32::from_le_bytes(*b)).collect();
        match rest.is_empty() && numbers.iter().all(|v| v.is_finite()) {
            true => Ok(Numbers(numbers)),
            false => Err(de::Error::custom("numbers are not finite 32-bit floats")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_to_the_last_bit() {
        let numbers = Numbers(vec![0.1, -1.5e-30, f32::MAX, 0.0]);
        let text = serde_json::to_string(&numbers).unwrap();
        assert_eq!(serde_json::from_str::<Numbers>(&text).unwrap(), numbers);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let infinite = format!("\"{}\"", Base64::encode_string(&f32::INFINITY.to_le_bytes()));
        for bad in ["\"AAA\"", "\"AAAA\"", "\"?\"", "3", infinite.as_str()] {
            assert!(serde_json::from_str::<Numbers>(bad).is_err(), "{bad}");
        }
    }
}
