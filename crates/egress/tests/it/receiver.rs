//! Listeners on free ports that say what they are told to say.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use egress::{Client, Exceptions, Limits};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::Sender;

/// A listener that answers every connection with the same bytes and counts them.
pub struct Receiver {
    pub port: u16,
    connections: Arc<AtomicUsize>,
    pub heard: tokio::sync::mpsc::Receiver<String>,
}

impl Receiver {
    pub async fn answering(bytes: &'static [u8]) -> Self {
        Self::talking(move |mut stream: TcpStream, _| async move {
            let _ = stream.write_all(bytes).await;
            if bytes.is_empty() {
                // Hold the line and say nothing.
                std::future::pending::<()>().await;
            }
        })
        .await
    }

    /// A listener that says one thing and then another one again and again, with a pause before each.
    pub async fn dripping(first: &'static [u8], again: &'static [u8], pause: Duration) -> Self {
        Self::talking(move |mut stream: TcpStream, tell: Sender<String>| async move {
            let mut said = stream.write_all(first).await;
            while said.is_ok() {
                tokio::time::sleep(pause).await;
                said = stream.write_all(again).await;
            }
            let _ = tell.send("hung up".to_owned()).await;
        })
        .await
    }

    /// Counts connections, tells what each says first, and goes on as it is told.
    async fn talking<F>(go_on: impl Fn(TcpStream, Sender<String>) -> F + Clone + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("a bound listener").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let (tell, heard) = tokio::sync::mpsc::channel(16);
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                let (tell, go_on) = (tell.clone(), go_on.clone());
                tokio::spawn(async move {
                    let mut buffer = vec![0; 4096];
                    let read = stream.read(&mut buffer).await.unwrap_or(0);
                    let _ = tell.send(String::from_utf8_lossy(&buffer[..read]).into_owned()).await;
                    go_on(stream, tell).await;
                });
            }
        });
        Self { port, connections, heard }
    }

    pub fn client(&self) -> Client {
        let exceptions: Exceptions = format!("127.0.0.1:{}", self.port).parse().expect("an exception");
        Client::new(exceptions, Limits { deadline: Duration::from_secs(2), kept_body: 16 })
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}
