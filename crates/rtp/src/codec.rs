//! How sound becomes bytes. G.711 is what every telephone network speaks: eight bits per sample, on a scale that is finer near silence.

/// An encoding of sound that this crate reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 with the µ-law, of North America and Japan.
    Pcmu,
    /// G.711 with the A-law, of everybody else.
    Pcma,
}

impl Codec {
    pub const ALL: [Self; 2] = [Self::Pcmu, Self::Pcma];

    /// Its name in SDP.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// The payload type that RFC 3551 gives it.
    pub fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// How fast RTP timestamps run, per second.
    pub fn clock_rate(self) -> u32 {
        8000
    }

    /// Appends the bytes of these samples.
    pub fn encode(self, samples: &[i16], out: &mut Vec<u8>) {
        match self {
            Self::Pcmu => out.extend(samples.iter().map(|sample| mu_law(*sample))),
            Self::Pcma => out.extend(samples.iter().map(|sample| a_law(*sample))),
        }
    }

    /// Appends the samples of these bytes.
    pub fn decode(self, payload: &[u8], out: &mut Vec<i16>) {
        let table = match self {
            Self::Pcmu => &MU_LAW,
            Self::Pcma => &A_LAW,
        };
        out.extend(payload.iter().map(|byte| table[usize::from(*byte)]));
    }

    /// How many units of the RTP clock the sound in a payload lasts.
    pub fn duration(self, payload: &[u8]) -> u32 {
        u32::try_from(payload.len()).unwrap_or(u32::MAX)
    }
}

/// What the µ-law adds to a magnitude, so that every segment begins at a power of two.
const BIAS: i32 = 132;

/// The largest magnitude of the µ-law.
const LOUDEST: i32 = 32_635;

static MU_LAW: [i16; 256] = table(false);
static A_LAW: [i16; 256] = table(true);

fn mu_law(sample: i16) -> u8 {
    let magnitude = i32::from(sample).abs().min(LOUDEST) + BIAS;
    // Between 132 and 32,767, so that the highest bit is one of 7 to 14.
    let segment = 24 - magnitude.leading_zeros();
    let step = (magnitude >> (segment + 3)) & 0x0F;
    let sign = if sample < 0 { 0x80 } else { 0 };
    !low_byte(sign | segment.cast_signed() << 4 | step)
}

fn a_law(sample: i16) -> u8 {
    // Thirteen bits count, and the negative ones begin at -1.
    let sample = i32::from(sample) >> 3;
    let (magnitude, sign) = if sample < 0 { (-sample - 1, 0) } else { (sample, 0x80) };
    let segment = (27 - (magnitude | 0x1F).leading_zeros()).min(7);
    let step = magnitude >> segment.max(1) & 0x0F;
    // Every other bit is inverted, so that a silent line does not send long runs of the same bit.
    low_byte(sign | segment.cast_signed() << 4 | step) ^ 0x55
}

fn low_byte(value: i32) -> u8 {
    value.to_le_bytes()[0]
}

/// What each byte means.
const fn table(is_a_law: bool) -> [i16; 256] {
    let mut samples = [0; 256];
    let mut byte = 0_u8;
    loop {
        let code = if is_a_law { byte ^ 0x55 } else { !byte };
        let (segment, step) = ((code >> 4 & 7) as i16, (code & 0x0F) as i16);
        samples[byte as usize] = if is_a_law {
            let magnitude = match segment {
                0 => step * 16 + 8,
                _ => (step * 16 + 264) << (segment - 1),
            };
            if code & 0x80 == 0 { -magnitude } else { magnitude }
        } else {
            let magnitude = (((step as i32 * 8 + BIAS) << segment) - BIAS) as i16;
            if code & 0x80 == 0 { magnitude } else { -magnitude }
        };
        if byte == u8::MAX {
            return samples;
        }
        byte += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(codec: Codec, sample: i16) -> u8 {
        let mut bytes = Vec::new();
        codec.encode(&[sample], &mut bytes);
        bytes[0]
    }

    fn decoded(codec: Codec, byte: u8) -> i16 {
        let mut samples = Vec::new();
        codec.decode(&[byte], &mut samples);
        samples[0]
    }

    /// The values of ITU-T G.711 at both ends and around zero, scaled to 16 bits.
    #[test]
    fn the_codes_of_the_recommendation() {
        for (byte, sample) in [
            (0xFF, 0),
            (0x7F, 0),
            (0xFE, 8),
            (0x7E, -8),
            (0x80, 32_124),
            (0x00, -32_124),
            (0xF0, 120),
            (0xEF, 132),
        ] {
            assert_eq!(decoded(Codec::Pcmu, byte), sample, "{byte:#x}");
        }
        for (byte, sample) in
            [(0xD5, 8), (0x55, -8), (0xD4, 24), (0x54, -24), (0xAA, 32_256), (0x2A, -32_256), (0xC5, 264)]
        {
            assert_eq!(decoded(Codec::Pcma, byte), sample, "{byte:#x}");
        }
    }

    #[test]
    fn every_code_stands_for_itself() {
        for codec in Codec::ALL {
            for byte in 0..=u8::MAX {
                let again = encoded(codec, decoded(codec, byte));
                // The µ-law has two zeros, and one of them is never written.
                let expected = if codec == Codec::Pcmu && byte == 0x7F { 0xFF } else { byte };
                assert_eq!(again, expected, "{} {byte:#x}", codec.name());
            }
        }
    }

    #[test]
    fn every_sample_comes_back_as_near_as_its_loudness_allows() {
        for codec in Codec::ALL {
            for sample in i16::MIN..=i16::MAX {
                let error = (i32::from(decoded(codec, encoded(codec, sample))) - i32::from(sample)).abs();
                // Half a step, which is a thirty-second of the magnitude at worst; what is too loud is cut.
                let allowed = (i32::from(sample).abs() + BIAS) / 32 + 8;
                assert!(error <= allowed, "{} {sample}: {error}", codec.name());
            }
        }
    }
}
