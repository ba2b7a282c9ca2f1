//! Measures sealing and opening in memory, and an archive of content that does not shrink, sealed and not:
//! `cargo run --release -p backup-archive --example seal_speed [MIB]`.

use std::error::Error;
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use backup_archive::seal::{
    Identity, Keyring, SealFor, SealedSource, SealingOptions, SealingSink, UnsealLimits,
};
use backup_archive::{
    ArchivePath, ArchiveWriter, FileSink, Metadata, Sink, SinkStats, Source, WriterOptions,
};
use bytes::Bytes;

const PIECE_LEN: usize = 1 << 20;
const ROUNDS: usize = 3;

/// Forgets what it is given, or keeps it.
struct Memory(Option<Arc<Mutex<Vec<u8>>>>);

impl Sink for Memory {
    type Mark = ();

    fn write(&mut self, pieces: Vec<Bytes>) -> io::Result<()> {
        if let Some(kept) = &self.0 {
            let mut kept = kept.lock().map_err(|_| io::Error::other("poisoned"))?;
            pieces
                .iter()
                .for_each(|piece| kept.extend_from_slice(piece));
        }
        Ok(())
    }

    fn mark(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn rewind(&mut self, (): ()) -> io::Result<()> {
        Ok(())
    }

    fn finish(self) -> io::Result<SinkStats> {
        Ok(SinkStats::default())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mib: usize = std::env::args()
        .nth(1)
        .map_or(Ok(1024), |arg| arg.parse())?;
    let identity = Identity::generate()?;
    let seal_for = SealFor::Recipients(vec![identity.recipient().clone()]);
    let piece = Bytes::from(
        (0..PIECE_LEN)
            .map(|i| (i * 31 % 251) as u8)
            .collect::<Vec<_>>(),
    );
    let seal = |sink, jobs| -> Result<(), Box<dyn Error>> {
        let options = SealingOptions {
            jobs,
            spill_dir: std::env::temp_dir(),
        };
        let mut sink = SealingSink::new(sink, &seal_for, options)?;
        for _ in 0..mib {
            sink.write(vec![piece.clone()])?;
        }
        sink.finish()?;
        Ok(())
    };
    for jobs in [1, 2] {
        let jobs = NonZeroUsize::new(jobs).ok_or("no jobs")?;
        report("seal", mib, jobs, || seal(Memory(None), jobs))?;
    }

    let kept = Arc::new(Mutex::new(Vec::with_capacity((mib + 1) << 20)));
    seal(Memory(Some(kept.clone())), NonZeroUsize::MIN)?;
    let sealed = std::mem::take(&mut *kept.lock().map_err(|_| "poisoned")?);
    let keys = Keyring {
        identities: vec![identity],
        ..Keyring::default()
    };
    let source = SealedSource::open(
        Arc::new(Bytes::from(sealed)),
        &keys,
        UnsealLimits::default(),
    )?;
    for jobs in [1, 2] {
        let jobs = NonZeroUsize::new(jobs).ok_or("no jobs")?;
        report("open", mib, jobs, || Ok(read_all(&source, jobs)?))?;
    }
    let started = Instant::now();
    let mut buffer = vec![0; 100_000];
    for step in 0..1000 {
        source.read_at(&mut buffer, step * 7_919_993 % (source.len() - 100_000))?;
    }
    println!("random 100 kB: {:?} each", started.elapsed() / 1000);
    drop(source);

    let noise = noise();
    let jobs = NonZeroUsize::new(2).ok_or("no jobs")?;
    report("archive, unsealed", mib, jobs, || {
        let sink = FileSink::new(scratch_file()?, true)?;
        write_archive(sink, jobs, mib, &noise)
    })?;
    report("archive, sealed", mib, jobs, || {
        let options = SealingOptions {
            jobs: NonZeroUsize::MIN,
            spill_dir: std::env::temp_dir(),
        };
        let file = FileSink::new(scratch_file()?, true)?;
        write_archive(
            SealingSink::new(file, &seal_for, options)?,
            jobs,
            mib,
            &noise,
        )
    })
}

/// On memory, if that can be: the disk is not what is measured.
fn scratch_file() -> io::Result<File> {
    tempfile::tempfile_in("/dev/shm").or_else(|_| tempfile::tempfile())
}

fn noise() -> Bytes {
    let mut noise = vec![0; 64 * PIECE_LEN];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    noise.into()
}

fn write_archive<S: Sink + 'static>(
    sink: S,
    jobs: NonZeroUsize,
    mib: usize,
    noise: &Bytes,
) -> Result<(), Box<dyn Error>> {
    let options = WriterOptions {
        jobs,
        ..WriterOptions::default()
    };
    let mut writer = ArchiveWriter::new(sink, options)?;
    let metadata = Metadata::default();
    for number in 0..mib {
        let start = number % 63 * PIECE_LEN + number;
        let content = noise.slice(start..start + PIECE_LEN);
        let path = ArchivePath::new(format!("files/{number:06}"))?;
        writer.append_bytes(&path, &metadata, content)?;
    }
    writer.finish()?;
    Ok(())
}

/// Reads everything in pieces that are not aligned to chunks, as an archive's members are.
fn read_all(source: &SealedSource, jobs: NonZeroUsize) -> io::Result<()> {
    let threads = jobs.get() as u64;
    thread::scope(|scope| {
        let readers: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    let mut buffer = vec![0; PIECE_LEN + 1000];
                    let mut offset = thread * buffer.len() as u64;
                    while offset < source.len() {
                        let mut done = 0;
                        while done < buffer.len() {
                            match source.read_at(&mut buffer[done..], offset + done as u64)? {
                                0 => break,
                                len => done += len,
                            }
                        }
                        offset += threads * buffer.len() as u64;
                    }
                    Ok(())
                })
            })
            .collect();
        readers.into_iter().try_for_each(|reader| {
            reader
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("died")))
        })
    })
}

fn report(
    what: &str,
    mib: usize,
    jobs: NonZeroUsize,
    mut run: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let (mut wall, mut cpu) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let (started, cpu_before) = (Instant::now(), cpu_time());
        run()?;
        wall = wall.min(started.elapsed());
        cpu = cpu.min(cpu_time() - cpu_before);
    }
    let rate = |time: Duration| mib as f64 / 1024.0 / time.as_secs_f64();
    println!(
        "{what}, {jobs} thread(s): {:.2} GiB/s, {:.2} GiB per second of CPU (best of {ROUNDS})",
        rate(wall),
        rate(cpu)
    );
    Ok(())
}

/// Of this process, all threads.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
