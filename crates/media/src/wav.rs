//! WAV files: written by the crate `hound`, read by ourselves.
//!
//! `hound` trusts the sizes in a header. Those of a program that writes to a pipe are 0 or the largest number, because it cannot know
//! them, and a download may end before they do; both have to be told apart from a whole file.

use std::io::{Cursor, ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::time::Duration;

use hound::{SampleFormat, WavSpec, WavWriter};

/// From here on, a size means that its writer did not know it.
const UNKNOWN: u64 = 0xFFFF_0000;

/// How many chunks of a file are looked through for its sound.
const MOST_CHUNKS: usize = 1000;

/// The code of uncompressed samples in a header.
const PCM: u16 = 1;

/// Sound of one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mono {
    /// Samples per second of each channel.
    pub sample_rate: u32,
    /// The samples in their order.
    pub samples: Vec<i16>,
}

/// Reads a file of one channel of 16-bit samples; `None` if it is anything else.
pub fn read_mono(bytes: &[u8]) -> Option<Mono> {
    let sound = find(&mut Cursor::new(bytes)).ok()?.filter(Sound::is_mono)?;
    // The samples end where the bytes do, whatever the header says.
    let data = bytes.get(usize::try_from(sound.begin).ok()?..)?;
    let length = usize::try_from(sound.length).map_or(data.len(), |length| length.min(data.len()));
    let samples = data[..length].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    Some(Mono { sample_rate: sound.sample_rate, samples })
}

/// The begin of a file of one channel of 16-bit samples, whose end has not come yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Samples per second.
    pub sample_rate: u32,
    /// How many bytes stand before the first sample.
    pub length: usize,
    /// How many bytes of samples follow, if the writer knew.
    pub bytes: Option<u64>,
}

/// Reads the begin of a file of one channel of 16-bit samples; `None` if it is anything else, or has not come to its end.
pub fn header(bytes: &[u8]) -> Option<Header> {
    let sound = find(&mut Cursor::new(bytes)).ok()?.filter(Sound::is_mono)?;
    Some(Header {
        sample_rate: sound.sample_rate,
        length: usize::try_from(sound.begin).ok()?,
        bytes: sound.known_length(),
    })
}

/// Writes a file of one channel of 16-bit samples.
pub fn write_mono(out: impl Write + Seek, sound: &Mono) -> Result<()> {
    let mut writer = WavWriter::new(out, spec(1, sound.sample_rate)).map_err(failure)?;
    for sample in &sound.samples {
        writer.write_sample(*sample).map_err(failure)?;
    }
    writer.finalize().map_err(failure)
}

/// Writes a file of two channels of 16-bit samples and gives its length. The shorter channel is silent to the end.
pub fn write_stereo(
    out: impl Write + Seek,
    sample_rate: u32,
    left: &[i16],
    right: &[i16],
) -> Result<Duration> {
    let mut writer = WavWriter::new(out, spec(2, sample_rate)).map_err(failure)?;
    let frames = left.len().max(right.len());
    for frame in 0..frames {
        for channel in [left, right] {
            writer.write_sample(channel.get(frame).copied().unwrap_or(0)).map_err(failure)?;
        }
    }
    writer.finalize().map_err(failure)?;
    Ok(Duration::from_millis(frames as u64 * 1000 / u64::from(sample_rate)))
}

/// The length of a whole file of so many bytes; `None` if it is no WAV file, or ends too early.
pub fn duration(mut file: impl Read + Seek, bytes: u64) -> Result<Option<Duration>> {
    let Some(sound) = find(&mut file)?.filter(|sound| sound.bytes_per_second > 0) else { return Ok(None) };
    let there = bytes.saturating_sub(sound.begin);
    let length = sound.known_length().unwrap_or(there);
    let duration = Duration::from_millis(length * 1000 / u64::from(sound.bytes_per_second));
    Ok((length <= there).then_some(duration))
}

/// How loud a sound is along its length, channel by channel: for a drawing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peaks {
    /// For each channel as many loudest samples as were asked for, 255 for the loudest that there can be.
    pub channels: Vec<Vec<u8>>,
}

/// Frames that are read for one peak; a longer stretch is read in [`PIECES`], so that an hour costs no more than some minutes do.
const FRAMES_PER_PEAK: u64 = 2048;
const PIECES: u64 = 4;

/// So many peaks of each channel; `None` if the file does not hold 16-bit samples, or none at all.
pub fn peaks(mut file: impl Read + Seek, count: usize) -> Option<Peaks> {
    let sound = find(&mut file).ok()??;
    let channels = usize::from(sound.channels);
    if (sound.encoding, sound.bits) != (PCM, 16) || !(1..=8).contains(&channels) || count == 0 {
        return None;
    }
    let there = file.seek(SeekFrom::End(0)).ok()?.saturating_sub(sound.begin);
    let length = sound.known_length().map_or(there, |length| length.min(there));
    let frame = 2 * channels as u64;
    let frames = length / frame;
    let mut peaks = vec![vec![0; count]; channels];
    let mut buffer = Vec::new();
    for stroke in 0..count as u64 {
        let (begin, end) = (frames * stroke / count as u64, frames * (stroke + 1) / count as u64);
        let pieces = if end - begin <= FRAMES_PER_PEAK { 1 } else { PIECES };
        let wanted = (end - begin).min(FRAMES_PER_PEAK) / pieces;
        for piece in 0..pieces {
            let first = begin + (end - begin) * piece / pieces;
            buffer.resize(usize::try_from(wanted * frame).ok()?, 0);
            file.seek(SeekFrom::Start(sound.begin + first * frame)).ok()?;
            file.read_exact(&mut buffer).ok()?;
            for (at, pair) in buffer.chunks_exact(2).enumerate() {
                let loud = i16::from_le_bytes([pair[0], pair[1]]).unsigned_abs().min(0x7fff) >> 7;
                let peak: &mut u8 = &mut peaks[at % channels][usize::try_from(stroke).ok()?];
                *peak = (*peak).max(u8::try_from(loud).unwrap_or(u8::MAX));
            }
        }
    }
    (frames > 0).then_some(Peaks { channels: peaks })
}

/// What a header says about the sound behind it.
pub(crate) struct Sound {
    encoding: u16,
    pub(crate) channels: u16,
    pub(crate) sample_rate: u32,
    bytes_per_second: u32,
    bits: u16,
    /// Where its bytes begin.
    pub(crate) begin: u64,
    /// How many there are, as the header says.
    length: u64,
}

impl Sound {
    /// Whether it is one channel of 16-bit samples.
    fn is_mono(&self) -> bool {
        (self.encoding, self.channels, self.bits) == (PCM, 1, 16)
    }

    /// How many bytes there are, if the writer knew.
    fn known_length(&self) -> Option<u64> {
        Some(self.length).filter(|length| (1..UNKNOWN).contains(length))
    }
}

/// Looks for the sound in the chunks of a RIFF file; `None` if it is none or ends before.
pub(crate) fn find(file: &mut (impl Read + Seek)) -> Result<Option<Sound>> {
    let mut head = [0; 12];
    if !filled(file, &mut head)? || &head[..4] != b"RIFF" || &head[8..] != b"WAVE" {
        return Ok(None);
    }
    let mut at = 12;
    let mut format = None;
    for _ in 0..MOST_CHUNKS {
        let mut chunk = [0; 8];
        file.seek(SeekFrom::Start(at))?;
        if !filled(file, &mut chunk)? {
            return Ok(None);
        }
        let (begin, length) = (at + 8, u64::from(long(&chunk, 4)));
        match &chunk[..4] {
            b"fmt " => {
                let mut fields = [0; 16];
                format = filled(file, &mut fields)?.then_some(fields);
            }
            b"data" => {
                return Ok(format.map(|fields| Sound {
                    encoding: short(&fields, 0),
                    channels: short(&fields, 2),
                    sample_rate: long(&fields, 4),
                    bytes_per_second: long(&fields, 8),
                    bits: short(&fields, 14),
                    begin,
                    length,
                }));
            }
            _ => {}
        }
        // Chunks begin at even places.
        at = begin + length + length % 2;
    }
    Ok(None)
}

fn short(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn long(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Fills the buffer; false if the file ends before.
fn filled(file: &mut impl Read, buffer: &mut [u8]) -> Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn spec(channels: u16, sample_rate: u32) -> WavSpec {
    WavSpec { channels, sample_rate, bits_per_sample: 16, sample_format: SampleFormat::Int }
}

fn failure(error: hound::Error) -> std::io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => std::io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a file that hound writes says how many bytes of sound follow.
    const SIZE: std::ops::Range<usize> = 40..44;

    fn file(samples: &[i16]) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        write_mono(&mut bytes, &Mono { sample_rate: 8000, samples: samples.to_vec() })
            .expect("memory takes everything");
        bytes.into_inner()
    }

    fn with_size(mut bytes: Vec<u8>, size: u32) -> Vec<u8> {
        assert_eq!(&bytes[36..40], b"data");
        bytes[SIZE].copy_from_slice(&size.to_le_bytes());
        bytes
    }

    fn length_of(bytes: &[u8]) -> Option<Duration> {
        duration(Cursor::new(bytes), bytes.len() as u64).expect("memory can be read")
    }

    #[test]
    fn peaks_follow_the_loudest_sample_of_each_stretch_and_side() {
        let mut bytes = Cursor::new(Vec::new());
        let loud = |from: usize| {
            (0..8000).map(|at| if at / 2000 == from { -32768 } else { 0 }).collect::<Vec<i16>>()
        };
        write_stereo(&mut bytes, 8000, &loud(0), &loud(3)).expect("memory takes everything");
        let drawn = peaks(Cursor::new(bytes.get_ref()), 4).expect("a sound");
        assert_eq!(drawn.channels, [[255, 0, 0, 0], [0, 0, 0, 255]]);
        assert_eq!(peaks(Cursor::new(bytes.get_ref()), 0), None);
        for broken in [&b"no sound"[..], &file(&[])] {
            assert_eq!(peaks(Cursor::new(broken), 4), None);
        }
        // A header that promises more than there is draws what there is.
        let cut = with_size(file(&[300; 100]), 4000);
        assert_eq!(peaks(Cursor::new(&cut), 2).expect("a sound").channels, [[2, 2]]);
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = file(&[1, -2, 300]);
        assert_eq!(read_mono(&bytes), Some(Mono { sample_rate: 8000, samples: vec![1, -2, 300] }));
        assert_eq!(length_of(&file(&vec![0; 24_000])), Some(Duration::from_secs(3)));
    }

    #[test]
    fn sound_is_read_even_if_its_writer_could_not_know_the_length() {
        for size in [u32::MAX, 0xFFFF_FFFE, 0x7FFF_FFFE] {
            let bytes = with_size(file(&[1, -2]), size);
            assert_eq!(read_mono(&bytes).expect("sound").samples, [1, -2], "{size:#x}");
        }
        for size in [u32::MAX, 0] {
            assert_eq!(
                length_of(&with_size(file(&[0; 8000]), size)),
                Some(Duration::from_secs(1)),
                "{size:#x}"
            );
        }
    }

    #[test]
    fn a_file_that_ends_too_early_has_no_length() {
        let whole = file(&[0; 8000]);
        assert_eq!(length_of(&whole[..whole.len() - 2]), None);
        for broken in
            [&b""[..], b"RIFF", b"no sound at all", b"RIFF\0\0\0\0WAVEfmt \xff\xff\xff\xff", &whole[..30]]
        {
            assert_eq!((length_of(broken), read_mono(broken)), (None, None));
        }
    }

    #[test]
    fn both_channels_are_as_long_as_the_longer_one() {
        let mut bytes = Cursor::new(Vec::new());
        let length =
            write_stereo(&mut bytes, 16_000, &[5; 1600], &[7; 3200]).expect("memory takes everything");
        assert_eq!(length, Duration::from_millis(200));
        let bytes = bytes.into_inner();
        let mut reader = hound::WavReader::new(Cursor::new(bytes.as_slice())).expect("a file");
        let samples: Vec<i16> = reader.samples().map(|sample| sample.expect("a sample")).collect();
        assert_eq!((reader.spec().channels, samples.len()), (2, 6400));
        assert_eq!((&samples[..2], &samples[6398..]), (&[5, 7][..], &[0, 7][..]));
        assert_eq!(read_mono(&bytes), None, "it has two channels");
    }
}
