//! Decoding, packet by packet, until there is enough.

use super::clip::{Clip, ClipBuilder};
use super::{Format, SoundError, open};
use std::time::{Duration, Instant};
use symphonia::core::codecs::audio::AudioDecoder;
use symphonia::core::errors::Error;
use symphonia::core::formats::FormatReader;
use symphonia::core::packet::Packet;

/// Consecutive packets without a frame before the rest is skipped: 90 seconds of damaged MP3, or as much video after
/// the end of the sound.
const MAX_IDLE: usize = 4096;

/// A file that takes longer to decode was made to; minutes of ordinary sound take a second.
const MAX_TIME: Duration = Duration::from_secs(10);

/// Decodes the first `seconds` of the sound, or all of it if it is shorter. The clip has at least one frame.
pub(super) fn decode(format: Format, bytes: &[u8], seconds: f64) -> Result<Clip, SoundError> {
    let deadline = Instant::now() + MAX_TIME;
    let mut reader = open::reader(format, bytes)?;
    let track = open::sound_track(format, reader.tracks())?;
    let mut decoder = open::decoder(format, &track)?;
    let mut packets = Packets {
        format,
        track: track.id,
        deadline,
        idle: 0,
        ended: false,
    };
    let clip = packets.decode(&mut *reader, &mut *decoder, seconds)?;
    let mut clip = clip
        .filter(|clip| !clip.frames.is_empty())
        .ok_or(SoundError::NoSamples(format))?;
    match format {
        Format::Mp3 if packets.ended => clip.drop_padding(&track),
        Format::Aac | Format::Mp4 => clip.drop_priming(packets.ended),
        _ => {}
    }
    Ok(clip)
}

/// A walk through the packets of one track.
struct Packets {
    format: Format,
    track: u32,
    deadline: Instant,
    /// Consecutive packets without a frame.
    idle: usize,
    /// Whether the end of the file was reached.
    ended: bool,
}

impl Packets {
    /// `None` when no packet can be decoded.
    fn decode(
        &mut self,
        reader: &mut dyn FormatReader,
        decoder: &mut dyn AudioDecoder,
        seconds: f64,
    ) -> Result<Option<Clip>, SoundError> {
        let mut builder: Option<ClipBuilder> = None;
        while let Some(packet) = self.next(reader)? {
            // A damaged packet is skipped, as in players.
            let Ok(buffer) = decoder.decode(&packet) else {
                continue;
            };
            if buffer.frames() == 0 {
                continue;
            }
            let builder = match &mut builder {
                Some(builder) => builder,
                none => none.insert(ClipBuilder::new(buffer.spec(), seconds)?),
            };
            let delay = if open::is_trimmed_here(self.format) {
                packet.trim_start.get() as usize
            } else {
                0
            };
            if builder.push(&buffer, delay) {
                self.idle = 0;
            }
            if builder.is_complete() {
                break;
            }
        }
        Ok(builder.map(ClipBuilder::finish))
    }

    /// The next packet of the track; `None` at the end of the file or after too many packets without a frame.
    fn next(&mut self, reader: &mut dyn FormatReader) -> Result<Option<Packet>, SoundError> {
        while self.idle < MAX_IDLE {
            if Instant::now() > self.deadline {
                return Err(SoundError::TooCostly(self.format));
            }
            self.idle += 1;
            match reader.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track => return Ok(Some(packet)),
                // Another track, or an invalid header: the search continues after it.
                Ok(Some(_)) | Err(Error::DecodeError(_) | Error::Unsupported(_)) => {}
                // A cut file ends with an error, and so does one that is followed by another file.
                Ok(None) | Err(_) => {
                    self.ended = true;
                    break;
                }
            }
        }
        Ok(None)
    }
}
