//! Transactions that consist of one statement each: those that come at about the same time are committed together.
//!
//! A commit costs a sync and the way to the server and back, however much it holds. So whoever comes while others are being committed
//! shares the next commit with all who have come by then. Nobody waits for company: where nothing is under way, a transaction goes out at
//! once, and alone.
//!
//! A common commit that fails has kept nothing. Then each of the transactions is committed by itself, so that the one at fault takes no
//! other along. Where the connection is lost in the middle, nobody knows what was kept, and all hear of that.

use std::collections::BTreeSet;
use std::slice;
use std::sync::Arc;

use futures_util::future::{join_all, join4};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::clients::{Client, Clients};
use crate::StoreError;
use crate::tx::Param;
use crate::writes::Turn;

/// Transactions that may wait; more are refused at once.
const QUEUE: usize = 4096;

/// Transactions that share a commit.
const GROUP: usize = 64;

/// How many groups are committed at the same time. The server works on one of them while another is being synced.
const AT_ONCE: usize = 2;

/// The way into the next group. Cheap to clone.
#[derive(Clone)]
pub(super) struct Groups(mpsc::Sender<Member>);

/// A transaction that waits to be committed.
struct Member {
    text: String,
    values: Vec<Param>,
    /// What it takes its turn for.
    turns: Vec<Turn>,
    /// The power may fail before it is on disk.
    lazy: bool,
    answer: oneshot::Sender<Result<(), StoreError>>,
}

impl Groups {
    /// Commits until nobody can ask for it any more.
    pub(super) fn start(clients: Clients) -> Self {
        // Whoever finds it full is told that there is too much to do.
        let (queue, members) = mpsc::channel(QUEUE);
        tokio::spawn(run(clients, members));
        Self(queue)
    }

    /// Runs a statement that is a whole transaction. It is carried out even if nobody waits any more.
    pub(super) async fn commit(
        &self,
        text: String,
        values: Vec<Param>,
        turns: Vec<Turn>,
        lazy: bool,
    ) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Member { text, values, turns, lazy, answer }).map_err(|_| StoreError::Busy)?;
        answered.await.unwrap_or_else(|_| Err(StoreError::Unexpected("the committer is gone".to_owned())))
    }
}

async fn run(clients: Clients, mut members: mpsc::Receiver<Member>) {
    let hands = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(first) = members.recv().await {
        let hand = Arc::clone(&hands).acquire_owned().await.expect("the hands are never closed");
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(member) = members.try_recv()
        {
            group.push(member);
        }
        let clients = clients.clone();
        tokio::spawn(async move {
            settle(&clients, group).await;
            drop(hand);
        });
    }
}

/// Commits a group and answers everybody in it.
async fn settle(clients: &Clients, group: Vec<Member>) {
    let client = match clients.get().await {
        Ok(client) => client,
        Err(error) => return answer(group, &Err(error)),
    };
    match commit(&client, &group).await {
        Err(StoreError::Unavailable(why)) => answer(group, &Err(StoreError::Unavailable(why))),
        Err(_) if group.len() > 1 => {
            for member in group {
                let committed = commit(&client, slice::from_ref(&member)).await;
                answer([member], &committed);
            }
        }
        committed => answer(group, &committed),
    }
}

fn answer(members: impl IntoIterator<Item = Member>, committed: &Result<(), StoreError>) {
    for member in members {
        // Nobody waits any more: it was committed all the same.
        let _ = member.answer.send(committed.clone());
    }
}

/// Runs the statements of a group in one transaction, all sent without waiting in between. An error means that nothing of it was kept,
/// except for [`StoreError::Unavailable`].
async fn commit(client: &Client, group: &[Member]) -> Result<(), StoreError> {
    let mut statements = Vec::with_capacity(group.len());
    for member in group {
        statements.push((client.prepare(&member.text).await?, &member.values));
    }
    let turns: BTreeSet<Turn> = group.iter().flat_map(|member| member.turns.iter().copied()).collect();
    let turns: Vec<Param> = turns.into_iter().map(|turn| Param::Int(turn.number())).collect();
    let take = if turns.is_empty() { None } else { Some(client.prepare(Turn::TAKE).await?) };
    let waits = join_all(
        take.iter().flat_map(|take| turns.iter().map(move |turn| client.run(take, slice::from_ref(turn)))),
    );
    let run = join_all(statements.iter().map(|(statement, values)| client.run(statement, values)));
    let is_lazy = group.iter().all(|member| member.lazy);
    if group.len() == 1 && !is_lazy && turns.is_empty() {
        // A statement by itself is a transaction.
        return run.await.into_iter().try_for_each(|done| done.map(drop)).map_err(StoreError::from);
    }
    let begin = if is_lazy { "BEGIN; SET LOCAL synchronous_commit TO OFF" } else { "BEGIN" };
    let all = join4(client.batch(begin), waits, run, client.batch("COMMIT"));
    let (begun, turned, done, ended) = all.await;
    begun?;
    turned.into_iter().try_for_each(|turned| turned.map(drop))?;
    // After a statement that failed, COMMIT succeeds by keeping nothing.
    done.into_iter().try_for_each(|done| done.map(drop))?;
    Ok(ended?)
}
