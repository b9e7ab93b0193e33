//! `sound` from end to end, with files made by ffmpeg.

use kinora::sound::{SoundError, Track, soundtrack};
use std::f64::consts::TAU;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Two sines of -12 dBFS: 440 Hz on the left, 1000 Hz on the right.
const STEREO: &str = "0.25*sin(2*PI*440*t)|0.25*sin(2*PI*1000*t)";

/// One sine of -12 dBFS.
const MONO: &str = "0.25*sin(2*PI*440*t)";

struct Scratch(PathBuf);

impl Scratch {
    fn new(extension: &str) -> Scratch {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("kinora-sound-{}-{count}.{extension}", std::process::id());
        Scratch(std::env::temp_dir().join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The file that ffmpeg writes.
fn ffmpeg(extension: &str, args: &str) -> Vec<u8> {
    let out = Scratch::new(extension);
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(args.split_whitespace())
        .arg(&out.0)
        .status()
        .unwrap();
    assert!(status.success(), "ffmpeg {args}");
    std::fs::read(&out.0).unwrap()
}

/// A file with the sound of `expressions`, one for each channel.
fn tone(extension: &str, expressions: &str, rate: u32, seconds: f64, args: &str) -> Vec<u8> {
    let source = format!("-f lavfi -i aevalsrc={expressions}:s={rate}:d={seconds} {args}");
    ffmpeg(extension, &source)
}

fn samples(track: &Track, channel: usize) -> Vec<f64> {
    let frames = track.frames();
    frames
        .map(|frame| f64::from(frame[channel]) / 32_768.0)
        .collect()
}

/// The amplitude of one frequency, measured between the fades.
fn amplitude(track: &Track, channel: usize, frequency: f64) -> f64 {
    let samples = samples(track, channel);
    let rate = f64::from(track.rate());
    let middle = (0.4 * rate) as usize..samples.len() - (1.6 * rate) as usize;
    let count = middle.len() as f64;
    let (mut re, mut im) = (0.0, 0.0);
    for (i, sample) in samples[middle].iter().enumerate() {
        // A Hann window separates neighbouring frequencies.
        let window = 1.0 - (TAU * i as f64 / count).cos();
        let angle = TAU * frequency * i as f64 / rate;
        re += sample * window * angle.cos();
        im += sample * window * angle.sin();
    }
    2.0 * re.hypot(im) / count
}

/// The RMS level of the quietest 20 ms between the fades.
fn quietest(track: &Track, channel: usize) -> f64 {
    let samples = samples(track, channel);
    let rate = f64::from(track.rate());
    let middle = (0.4 * rate) as usize..samples.len() - (1.6 * rate) as usize;
    samples[middle]
        .chunks_exact((0.02 * rate) as usize)
        .map(|chunk| (chunk.iter().map(|s| s * s).sum::<f64>() / chunk.len() as f64).sqrt())
        .fold(f64::MAX, f64::min)
}

#[track_caller]
fn assert_lasts(track: &Track, seconds: f64) {
    let frames: Vec<_> = track.frames().collect();
    assert_eq!(
        frames.len(),
        (seconds * f64::from(track.rate())).round() as usize
    );
    assert_eq!(frames.last(), Some(&[0, 0]));
}

#[track_caller]
fn assert_stereo(track: &Track) {
    for (channel, own, other) in [(0, 440.0, 1000.0), (1, 1000.0, 440.0)] {
        let (own, other) = (
            amplitude(track, channel, own),
            amplitude(track, channel, other),
        );
        assert!((own / 0.25).log10().abs() * 20.0 < 1.0, "{channel}: {own}");
        assert!(other < 0.01, "{channel}: {other}");
    }
}

#[test]
fn every_format_at_every_rate() {
    let formats: [(&str, &str, &[u32]); 6] = [
        (
            "mp3",
            "-c:a libmp3lame -b:a 128k",
            &[8_000, 22_050, 44_100, 48_000],
        ),
        (
            "aac",
            "-c:a aac -b:a 128k -f adts",
            &[8_000, 22_050, 44_100, 48_000, 96_000],
        ),
        (
            "m4a",
            "-c:a aac -b:a 128k",
            &[8_000, 22_050, 44_100, 48_000, 96_000],
        ),
        (
            "ogg",
            "-c:a libvorbis -q:a 5",
            &[8_000, 22_050, 44_100, 48_000, 96_000],
        ),
        (
            "flac",
            "-c:a flac",
            &[8_000, 22_050, 44_100, 48_000, 96_000],
        ),
        (
            "wav",
            "-c:a pcm_s16le",
            &[8_000, 22_050, 44_100, 48_000, 96_000],
        ),
    ];
    for (extension, args, rates) in formats {
        for &rate in rates {
            let file = tone(extension, STEREO, rate, 5.0, args);
            // Cut and looped.
            for seconds in [3.0, 12.345] {
                let track = soundtrack(&file, seconds).unwrap();
                assert_eq!(track.rate(), rate, "{extension}");
                assert_lasts(&track, seconds);
                if seconds == 3.0 {
                    assert_stereo(&track);
                }
                let quietest = quietest(&track, 0);
                assert!(quietest > 0.08, "{extension} {rate} {seconds}: {quietest}");
            }
            let file = tone(extension, MONO, rate, 5.0, args);
            let track = soundtrack(&file, 3.0).unwrap();
            for channel in [0, 1] {
                let level = amplitude(&track, channel, 440.0);
                assert!(
                    (level / 0.25).log10().abs() * 20.0 < 1.0,
                    "{extension} {rate}: {level}"
                );
            }
        }
    }
}

#[test]
fn every_wav() {
    for codec in [
        "u8", "s16le", "s24le", "s32le", "f32le", "f64le", "alaw", "mulaw",
    ] {
        let file = tone("wav", STEREO, 44_100, 4.0, &format!("-c:a pcm_{codec}"));
        assert_stereo(&soundtrack(&file, 3.0).unwrap());
    }
}

#[test]
fn high_rates_are_halved() {
    for (rate, reduced) in [(192_000, 96_000), (384_000, 96_000), (176_400, 88_200)] {
        let file = tone("wav", STEREO, rate, 4.0, "");
        let track = soundtrack(&file, 3.0).unwrap();
        assert_eq!(track.rate(), reduced);
        assert_lasts(&track, 3.0);
        assert_stereo(&track);
    }
}

#[test]
fn surround_is_mixed_down() {
    // Front left and right, centre, LFE, surrounds.
    let tones = [400, 600, 800, 50, 1200, 1400].map(|f| format!("0.25*sin(2*PI*{f}*t)"));
    let tones = format!("{}:c=5.1", tones.join("|"));
    for (extension, args) in [("wav", ""), ("flac", ""), ("ogg", "-c:a libvorbis -q:a 6")] {
        let file = tone(extension, &tones, 48_000, 4.0, args);
        let track = soundtrack(&file, 3.0).unwrap();
        let front = 0.25 / 2.414_2;
        for (channel, frequency, expected) in [
            (0, 400.0, front),
            (0, 600.0, 0.0),
            (0, 800.0, front * 0.707),
            (0, 50.0, 0.0),
            (0, 1200.0, front * 0.707),
            (0, 1400.0, 0.0),
            (1, 600.0, front),
            (1, 800.0, front * 0.707),
            (1, 1400.0, front * 0.707),
            (1, 400.0, 0.0),
        ] {
            let level = amplitude(&track, channel, frequency);
            assert!(
                (level - expected).abs() < 0.005,
                "{extension} {channel} {frequency}: {level}"
            );
        }
    }
}

#[test]
fn a_file_ends_where_its_header_says() {
    // A sine of whole periods loops without a step, unless there is a gap or the length is wrong.
    for (extension, args) in [
        ("mp3", "-c:a libmp3lame -b:a 192k"),
        ("ogg", "-c:a libvorbis -q:a 6"),
        ("flac", ""),
        ("wav", ""),
    ] {
        let file = tone(extension, MONO, 44_100, 1.0, args);
        let track = soundtrack(&file, 8.0).unwrap();
        // The cross-fade takes 20 ms, nearly 9 periods, from each repetition.
        let quietest = quietest(&track, 0);
        assert!(quietest > 0.1, "{extension}: {quietest}");
    }
}

#[test]
fn tags_with_large_pictures_are_skipped() {
    let picture = ffmpeg(
        "png",
        "-f lavfi -i nullsrc=s=1500x1500 -vf geq=random(1)*255:128:128 -frames:v 1",
    );
    let art = Scratch::new("png");
    std::fs::write(&art.0, &picture).unwrap();
    let input = format!(
        "-f lavfi -i aevalsrc={STEREO}:s=44100:d=4 -i {} -map 0 -map 1 -c:v copy -id3v2_version 3 -q:a 4",
        art.0.display()
    );
    let file = ffmpeg("mp3", &input);
    assert!(file.len() > 1_000_000);
    assert_stereo(&soundtrack(&file, 3.0).unwrap());
}

#[test]
fn an_mp3_is_not_cut_at_a_guessed_length() {
    // Noise at 320 kbit/s, then a tone at 32: without a header, Symphonia guesses the length from the first frames.
    let loud = tone(
        "mp3",
        "random(0)*0.5",
        44_100,
        2.0,
        "-b:a 320k -write_xing 0 -id3v2_version 0",
    );
    let quiet = tone(
        "mp3",
        MONO,
        44_100,
        30.0,
        "-b:a 32k -write_xing 0 -id3v2_version 0",
    );
    let file = [loud, quiet].concat();
    let track = soundtrack(&file, 25.0).unwrap();
    assert!(amplitude(&track, 0, 440.0) > 0.15);
}

#[test]
fn an_mp4_may_begin_or_end_with_its_index() {
    for args in [
        "-c:a aac",
        "-c:a aac -movflags +faststart",
        "-c:a aac -movflags +frag_keyframe+empty_moov -frag_duration 500000",
    ] {
        let file = tone("m4a", STEREO, 44_100, 5.0, args);
        assert_stereo(&soundtrack(&file, 4.0).unwrap());
    }
}

#[test]
fn the_sound_of_a_video_is_used() {
    let input =
        format!("-f lavfi -i testsrc=s=320x240:d=5 -f lavfi -i aevalsrc={STEREO}:s=48000:d=5");
    let file = ffmpeg("mp4", &format!("{input} -c:v libx264 -c:a aac -b:a 128k"));
    assert_stereo(&soundtrack(&file, 4.0).unwrap());
}

#[test]
fn damaged_packets_are_skipped() {
    for (extension, args) in [
        ("mp3", "-b:a 128k"),
        ("aac", "-c:a aac -b:a 128k -f adts"),
        ("m4a", "-c:a aac -b:a 128k -movflags +faststart"),
        ("ogg", "-c:a libvorbis"),
        ("flac", ""),
    ] {
        let mut file = tone(extension, STEREO, 44_100, 10.0, args);
        let middle = file.len() / 2;
        let length = file.len() / 50;
        file[middle..middle + length].fill(0x55);
        // The rest is out of phase, so that only its loudness can be measured.
        let samples = samples(&soundtrack(&file, 9.0).unwrap(), 0);
        let loud = |part: &[f64]| part.iter().any(|sample| sample.abs() > 0.15);
        let count = samples[22_050..7 * 44_100]
            .chunks(4410)
            .filter(|part| loud(part))
            .count();
        assert!(count > 60, "{extension}: {count} of 65");
    }
}

#[test]
fn a_cut_file_is_used_as_far_as_it_goes() {
    for (extension, args) in [
        ("mp3", "-b:a 128k"),
        ("aac", "-c:a aac -f adts"),
        ("m4a", "-c:a aac -movflags +faststart"),
        ("ogg", "-c:a libvorbis"),
        ("flac", ""),
        ("wav", ""),
    ] {
        let file = tone(extension, STEREO, 44_100, 10.0, args);
        let track = soundtrack(&file[..file.len() / 2], 4.0).unwrap();
        assert_stereo(&track);
        let track = soundtrack(&file[..file.len() / 2], 9.0).unwrap();
        assert_lasts(&track, 9.0);
        assert!(quietest(&track, 0) > 0.08, "{extension}");
    }
}

#[test]
fn samples_that_are_not_numbers_are_silent() {
    let mut file = tone("wav", STEREO, 48_000, 4.0, "-c:a pcm_f32le");
    let data = file.windows(4).position(|w| w == b"data").unwrap() + 8;
    for (i, value) in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY]
        .into_iter()
        .enumerate()
    {
        let at = data + 8 * 48_000 + i * 800;
        file[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    assert_stereo(&soundtrack(&file, 3.0).unwrap());
}

#[test]
fn ffmpeg_reads_what_is_written() {
    let file = tone("flac", STEREO, 22_050, 4.0, "");
    let track = soundtrack(&file, 3.5).unwrap();
    let mut wav = Vec::new();
    track.write_wav(&mut wav).unwrap();
    assert_eq!(wav.len(), 44 + 4 * 77_175);
    let written = Scratch::new("wav");
    std::fs::write(&written.0, &wav).unwrap();
    let raw = ffmpeg("raw", &format!("-i {} -f s16le", written.0.display()));
    assert_eq!(raw, wav[44..]);
    let ours: Vec<u8> = track
        .frames()
        .flatten()
        .flat_map(i16::to_le_bytes)
        .collect();
    assert_eq!(raw, ours);
}

/// The peak in dBFS of the track, encoded as the service delivers it.
fn encoded(track: &Track) -> f32 {
    let wav = Scratch::new("wav");
    track
        .write_wav(std::fs::File::create(&wav.0).unwrap())
        .unwrap();
    let args = format!(
        "-i {} -c:a aac -b:a 160k -aac_pns 0 -ar 48000",
        wav.0.display()
    );
    let m4a = Scratch::new("m4a");
    std::fs::write(&m4a.0, ffmpeg("m4a", &args)).unwrap();
    let decoded = ffmpeg("f32", &format!("-i {} -f f32le", m4a.0.display()));
    let samples = decoded.as_chunks::<4>().0.iter().copied();
    20.0 * samples
        .map(f32::from_le_bytes)
        .map(f32::abs)
        .fold(0.0, f32::max)
        .log10()
}

#[test]
fn loud_sound_does_not_clip_in_the_encoder() {
    for (expression, rate) in [
        ("if(lt(mod(t*997\\,1)\\,0.5)\\,1\\,-1)", 44_100),
        ("if(lt(mod(t*100\\,1)\\,0.5)\\,1\\,-1)", 48_000),
        ("max(-1\\,min(1\\,5*(random(0)-0.5)))", 48_000),
        ("max(-1\\,min(1\\,5*(random(0)-0.5)))", 44_100),
    ] {
        let track = soundtrack(&tone("wav", expression, rate, 5.0, ""), 6.0).unwrap();
        let peak = encoded(&track);
        assert!(peak < -1.0, "{expression}: {peak} dBFS");
    }
}

#[track_caller]
fn error(bytes: &[u8]) -> String {
    let error: SoundError = soundtrack(bytes, 3.0).map(|_| ()).unwrap_err();
    error.to_string()
}

#[test]
fn files_without_sound_are_named() {
    let noise: Vec<u8> = (0..200_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 ^ (i >> 7) as u8)
        .collect();
    for (bytes, sentence) in [
        (&b""[..], "is empty"),
        (
            b"#EXTM3U\n#EXT-X-VERSION:3\nseg0.ts\n",
            "is not sound: it is a playlist",
        ),
        (
            b"\xef\xbb\xbf#EXTM3U\r\nsong.mp3\r\n",
            "is not sound: it is a playlist",
        ),
        (
            b"[playlist]\nFile1=http://a.b/c\n",
            "is not sound: it is a playlist",
        ),
        (
            b"# radio\nhttps://a.b/stream\n",
            "is not sound: it is a playlist",
        ),
        (
            b"<!DOCTYPE html><html></html>",
            "is not sound: it is a web page",
        ),
        (
            b"\n <html><body>404</body></html>",
            "is not sound: it is a web page",
        ),
        (b"{\"error\": \"not found\"}", "is not sound: it is JSON"),
        (
            b"<?xml version=\"1.0\"?><a/>",
            "is not sound: it is an XML or HTML document",
        ),
        (b"Not Found", "is not sound: it is a text"),
        (
            b"\xff\xd8\xff\xe0\0\x10JFIF\0",
            "is not sound: it is a JPEG picture",
        ),
        (b"%PDF-1.7\n", "is not sound: it is a PDF document"),
        (b"PK\x03\x04....", "is not sound: it is a ZIP archive"),
        (
            &noise,
            "is not sound in a known format (MP3, AAC, M4A, Ogg Vorbis, FLAC or WAV)",
        ),
        (
            &[0; 5000],
            "is not sound in a known format (MP3, AAC, M4A, Ogg Vorbis, FLAC or WAV)",
        ),
        (b"RIFF\x24\0\0\0WAVEfmt ", "is a damaged WAV file"),
        (b"fLaC", "is a damaged FLAC file"),
        (b"OggS", "is a damaged Ogg file"),
        (b"ID3\x04\0\0\0\0\0\x04abcdef", "is a damaged MP3 file"),
    ] {
        assert_eq!(error(bytes), sentence, "{:?}", bytes.get(..40));
    }
}

#[test]
fn unsupported_sound_is_named() {
    let known = "which is not supported; MP3, AAC, M4A, Ogg Vorbis, FLAC and WAV are";
    for (extension, args, name) in [
        ("opus", "-c:a libopus", "Opus"),
        ("mp2", "", "MPEG layer II sound"),
        ("aiff", "", "an AIFF file"),
        ("webm", "-c:a libopus", "a Matroska or WebM file"),
        ("mka", "-c:a aac", "a Matroska or WebM file"),
        ("wma", "", "a Windows Media file"),
        ("ac3", "", "AC-3"),
        ("ts", "-c:a aac", "an MPEG transport stream"),
        ("m4a", "-c:a alac", "Apple Lossless"),
        ("mp4", "-c:a libopus", "Opus"),
        ("mp4", "-c:a ac3", "AC-3"),
        (
            "m4a",
            "-c:a aac -ac 6",
            "AAC other than LC in mono or stereo",
        ),
    ] {
        let file = tone(extension, STEREO, 48_000, 1.0, args);
        assert_eq!(
            error(&file),
            format!("is {name}, {known}"),
            "{extension} {args}"
        );
    }
    let video = ffmpeg("mp4", "-f lavfi -i testsrc=s=320x240:d=1 -c:v libx264");
    assert_eq!(
        error(&video),
        "is not sound: it is a video without a sound track"
    );
    let adpcm = tone("wav", STEREO, 48_000, 1.0, "-c:a adpcm_ms");
    assert_eq!(error(&adpcm), "is WAV of a kind that is not supported");
}

#[test]
fn absurd_headers_are_rejected() {
    let wav = tone("wav", MONO, 48_000, 1.0, "-bitexact");
    let with_rate = |rate: u32| {
        let mut wav = wav.clone();
        wav[24..28].copy_from_slice(&rate.to_le_bytes());
        wav
    };
    let limits = "4000 to 384000 Hz are supported";
    assert_eq!(
        error(&with_rate(1)),
        format!("has a sample rate of 1 Hz; {limits}")
    );
    let high = error(&with_rate(4_000_000_000));
    assert_eq!(
        high,
        format!("has a sample rate of 4000000000 Hz; {limits}")
    );

    let mut wav = wav;
    wav[22..24].copy_from_slice(&9_u16.to_le_bytes());
    wav[32..34].copy_from_slice(&18_u16.to_le_bytes());
    assert_eq!(error(&wav), "has 9 channels, more than the limit of 8");
}
