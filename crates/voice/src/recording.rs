//! Recordings of running calls: one thread writes them, so that a slow disk delays neither sound nor conversations.
//!
//! A call's file grows as the call goes, half a second at a time, agent left and caller right, as both were on the wire in the same tick.
//! What a crash leaves behind is a recording of everything until then.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use domain::CallId;
use domain::engine::Recording;
use media::live::{self, LiveRecording};
use tokio::sync::oneshot;

use crate::frame::{FRAME, RATE};
use crate::line::Tick;

/// Pieces that wait to be written. If there are more, the sound of a piece is lost, and silence takes its place.
const WAITING: usize = 1024;

/// Ticks in a piece: half a second.
const PIECE: usize = 25;

/// A gap in a recording is not longer than this.
const LONGEST_GAP: u64 = 60 * 50;

enum Order {
    Begin(CallId),
    Write(CallId, Piece),
    End(CallId, oneshot::Sender<()>),
}

/// Both sides of a while.
#[derive(Default)]
struct Piece {
    said: Vec<i16>,
    heard: Vec<i16>,
}

/// Where recordings of running calls are, and the thread that writes them.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    folder: PathBuf,
    orders: SyncSender<Order>,
}

impl Recorder {
    /// A recorder that makes its folder when the first call is recorded, so that a process that runs no calls leaves nothing behind.
    pub(crate) fn start(folder: PathBuf) -> io::Result<Self> {
        let (orders, receiver) = sync_channel(WAITING);
        let writer = Writer { folder: folder.clone(), open: HashMap::new() };
        std::thread::Builder::new().name("recorder".to_owned()).spawn(move || writer.run(&receiver))?;
        Ok(Self { folder, orders })
    }

    /// Begins to record a call.
    pub(crate) fn begin(&self, call: CallId) -> Tape {
        self.order(Order::Begin(call));
        Tape { recorder: self.clone(), call, piece: Piece::default(), next: None }
    }

    /// Moves the recording of a call that is over to `to`, whole even if its writer did not live to finish it. `None` if there is none.
    pub(crate) fn hand_over(&self, call: CallId, to: &Path) -> io::Result<Option<Recording>> {
        let from = path(&self.folder, call);
        let mut file = match OpenOptions::new().read(true).write(true).open(&from) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let duration = live::mend(&mut file)?;
        file.sync_data()?;
        fs::rename(&from, to)?;
        Ok(Some(Recording { content_type: "audio/wav", duration }))
    }

    fn order(&self, order: Order) {
        if self.orders.try_send(order).is_err() {
            tracing::warn!("the disk is too slow for recordings; some sound is missing in one");
        }
    }
}

/// The recording of one call.
pub(crate) struct Tape {
    recorder: Recorder,
    call: CallId,
    piece: Piece,
    /// The number of the tick that comes next.
    next: Option<u64>,
}

impl Tape {
    /// Adds a tick. If some before it are missing, they are silent.
    pub(crate) fn add(&mut self, tick: &Tick) {
        let missing = self.next.map_or(0, |next| tick.number.saturating_sub(next)).min(LONGEST_GAP);
        self.next = Some(tick.number + 1);
        let gap = usize::try_from(missing).unwrap_or(0) * FRAME;
        for (channel, samples) in [(&mut self.piece.said, &tick.said), (&mut self.piece.heard, &tick.heard)] {
            channel.resize(channel.len() + gap, 0);
            channel.extend_from_slice(samples);
        }
        if self.piece.said.len() >= PIECE * FRAME {
            self.write();
        }
    }

    /// Writes what is left; returns when the file is whole.
    pub(crate) async fn end(mut self) {
        self.write();
        let (done, told) = oneshot::channel();
        self.recorder.order(Order::End(self.call, done));
        // If the order got lost, the file is mended when it is asked for.
        let _ = told.await;
    }

    fn write(&mut self) {
        let piece = std::mem::take(&mut self.piece);
        self.recorder.order(Order::Write(self.call, piece));
    }
}

struct Writer {
    folder: PathBuf,
    open: HashMap<CallId, LiveRecording<File>>,
}

impl Writer {
    fn run(mut self, orders: &Receiver<Order>) {
        while let Ok(order) = orders.recv() {
            if let Err(error) = self.obey(order) {
                tracing::error!(%error, "a recording could not be written");
            }
        }
    }

    fn obey(&mut self, order: Order) -> io::Result<()> {
        match order {
            Order::Begin(call) => {
                fs::create_dir_all(&self.folder)?;
                let file = File::create(path(&self.folder, call))?;
                self.open.insert(call, LiveRecording::begin(file, RATE)?);
            }
            Order::Write(call, piece) => {
                if let Some(recording) = self.open.get_mut(&call)
                    && let Err(error) = recording.push(&piece.said, &piece.heard)
                {
                    self.open.remove(&call);
                    return Err(error);
                }
            }
            Order::End(call, done) => {
                let finished = self.open.remove(&call).map(LiveRecording::finish).transpose();
                // Whoever asked may have stopped waiting.
                let _ = done.send(());
                finished.map(drop::<Option<Duration>>)?;
            }
        }
        Ok(())
    }
}

fn path(folder: &Path, call: CallId) -> PathBuf {
    folder.join(format!("{}.wav", call.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(number: u64, said: i16, heard: i16) -> Tick {
        Tick {
            number,
            arrived: Duration::ZERO,
            heard: [heard; FRAME],
            said: [said; FRAME],
            activity: 0.0,
            saying: None,
        }
    }

    fn call() -> CallId {
        CallId(uuid::Uuid::from_u128(7))
    }

    fn samples(file: &Path) -> Vec<i16> {
        let mut reader = hound::WavReader::open(file).expect("a file that others can read");
        reader.samples().map(|sample| sample.expect("a sample")).collect()
    }

    #[tokio::test]
    async fn both_sides_stand_side_by_side_and_what_got_lost_is_silent() {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::start(folder.path().join("live")).expect("a thread");
        let mut tape = recorder.begin(call());
        for number in (100..140).chain(142..150) {
            tape.add(&tick(number, 5, -5));
        }
        tape.end().await;
        let file = folder.path().join("whole.wav");
        let recording = recorder.hand_over(call(), &file).expect("a disk").expect("a recording");
        assert_eq!(recording.duration, Some(Duration::from_secs(1)));
        let samples = samples(&file);
        assert_eq!(samples.len(), 50 * FRAME * 2);
        let frame = |tick: usize| [samples[tick * FRAME * 2], samples[tick * FRAME * 2 + 1]];
        assert_eq!(
            [frame(0), frame(39), frame(40), frame(41), frame(42)],
            [[5, -5], [5, -5], [0, 0], [0, 0], [5, -5]]
        );
        assert!(recorder.hand_over(call(), &file).expect("a disk").is_none(), "it has been handed over");
    }

    #[tokio::test]
    async fn a_recording_whose_writer_died_is_mended() {
        let folder = tempfile::tempdir().expect("a folder");
        {
            let recorder = Recorder::start(folder.path().to_owned()).expect("a thread");
            let mut tape = recorder.begin(call());
            (0..50).for_each(|number| tape.add(&tick(number, 1, 2)));
            // The thread writes what it was given; nobody finishes the file.
            while fs::metadata(path(folder.path(), call())).map_or(0, |file| file.len()) < 32_044 {
                std::thread::yield_now();
            }
        }
        let recorder = Recorder::start(folder.path().to_owned()).expect("a thread");
        let file = folder.path().join("whole.wav");
        let recording = recorder.hand_over(call(), &file).expect("a disk").expect("a recording");
        assert_eq!((recording.duration, samples(&file).len()), (Some(Duration::from_secs(1)), 16_000));
    }
}
