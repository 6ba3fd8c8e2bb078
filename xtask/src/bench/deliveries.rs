//! How many webhooks a second reach a receiver that answers at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::report::Report;
use super::scale::CONNECTIONS;
use super::subject::Subject;
use crate::failure::{Doing, Failure};
use crate::load::figures::{Request, Until};
use crate::load::http::Wire;

/// Events that wait for the receiver when it begins to answer.
const EVENTS: u32 = 2_000;

/// How many of them are counted. An attempt that gave up while the others gathered comes again seconds later, which says nothing about speed.
const COUNTED: u32 = 1_950;

/// How long the receiver may wait for them.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets events pile up before a receiver that does not answer yet, then counts how fast it gets them.
pub async fn measure(subject: &Subject, report: &mut Report) -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await.doing("open a webhook receiver")?;
    let address = listener.local_addr().doing("read the receiver's address")?;
    let (open, opened) = watch::channel(false);
    let answered = Arc::new(AtomicU32::new(0));
    let receiver = tokio::spawn(accept(listener, opened, Arc::clone(&answered)));
    let order = subject.order("+15005550003", Some(format!("http://{address}/webhook")));
    let placing = move |_| Request::Post("/api/v1/calls", order.clone());
    subject.load(Until::Count(EVENTS.into()), CONNECTIONS, placing).await?;
    let begun = Instant::now();
    open.send_replace(true);
    let outcome = loop {
        if answered.load(Ordering::Relaxed) >= COUNTED {
            break Ok(begun.elapsed());
        }
        if begun.elapsed() > PATIENCE {
            let got = answered.load(Ordering::Relaxed);
            break Err(Failure::Claim(format!("of {EVENTS} webhooks {got} arrived within a minute")));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    receiver.abort();
    let rate = f64::from(COUNTED) / outcome?.as_secs_f64();
    report.value(subject.database, &subject.named("webhook deliveries"), "/s", rate);
    Ok(())
}

async fn accept(listener: TcpListener, opened: watch::Receiver<bool>, answered: Arc<AtomicU32>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (opened, answered) = (opened.clone(), Arc::clone(&answered));
        tokio::spawn(async move {
            // A sender may give up and come again.
            let _ = receive(stream, opened, &answered).await;
        });
    }
}

async fn receive(
    stream: TcpStream,
    mut opened: watch::Receiver<bool>,
    answered: &AtomicU32,
) -> std::io::Result<()> {
    let mut wire = Wire::new(stream)?;
    while wire.read().await?.is_some() {
        // An error means that the measuring is over.
        let _ = opened.wait_for(|open| *open).await;
        wire.stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
        answered.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
