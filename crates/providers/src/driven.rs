//! A stream that is fed by a future, both polled by whoever reads the stream.
//!
//! Sessions of recognisers and voices are loops that wait for several things at once. As futures they need no task of their own: they run
//! while somebody reads what they make, and dropping the stream drops them with everything they hold.

use std::pin::Pin;
use std::task::Poll;

use futures_util::{Stream, StreamExt as _, stream};
use speech::{PcmStream, SpeechError};
use tokio::sync::mpsc;

/// How much is made before somebody reads it.
const AHEAD: usize = 16;

/// The stream of what `feed` sends, which ends with the error that it ends with.
pub(crate) fn driven<T, F>(
    feed: impl FnOnce(mpsc::Sender<T>) -> F,
) -> impl Stream<Item = Result<T, SpeechError>> + Send
where
    T: Send + 'static,
    F: Future<Output = Result<(), SpeechError>> + Send + 'static,
{
    // A feed that is further ahead waits.
    let (sender, mut made) = mpsc::channel(AHEAD);
    let mut feeding: Option<Pin<Box<F>>> = Some(Box::pin(feed(sender)));
    let mut error = None;
    stream::poll_fn(move |context| {
        if let Some(future) = &mut feeding
            && let Poll::Ready(end) = future.as_mut().poll(context)
        {
            feeding = None;
            error = end.err();
        }
        match made.poll_recv(context) {
            Poll::Ready(Some(item)) => Poll::Ready(Some(Ok(item))),
            Poll::Ready(None) if feeding.is_none() => Poll::Ready(error.take().map(Err)),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    })
}

/// A stream whose first sound has come, or the error that came instead.
pub(crate) async fn begun(mut sound: PcmStream) -> Result<PcmStream, SpeechError> {
    let first = sound.next().await.transpose()?;
    Ok(Box::pin(stream::iter(first.map(Ok)).chain(sound)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_made_comes_before_the_error_that_ended_it() {
        let items: Vec<_> = driven(|out| async move {
            for number in 0..100 {
                out.send(number).await.map_err(|_| SpeechError::Auth)?;
            }
            Err(SpeechError::Malformed("enough".to_owned()))
        })
        .collect()
        .await;
        assert_eq!(items.len(), 101);
        assert!(items[..100].iter().all(Result::is_ok) && items[100].is_err());
    }

    #[tokio::test]
    async fn a_feed_that_only_waits_is_woken() {
        let (tell, mut told) = mpsc::channel(1);
        let mut stream = std::pin::pin!(driven(|out| async move {
            while let Some(number) = told.recv().await {
                out.send(number).await.map_err(|_| SpeechError::Auth)?;
            }
            Ok(())
        }));
        let (item, ()) = tokio::join!(stream.next(), async {
            tokio::task::yield_now().await;
            tell.send(7).await.expect("the feed lives");
        });
        assert_eq!(item, Some(Ok(7)));
        drop(tell);
        assert_eq!(stream.next().await, None);
    }
}
