//! Quick questions: those that come at about the same time are asked together.
//!
//! To find a row by its key costs PostgreSQL less than to hear that somebody asks. So whoever asks while others are being answered shares
//! the next statement with all who ask the same about other values. Nobody waits for company: where nothing is under way, a question
//! goes out at once, and alone.
//!
//! The common statement joins everybody's values, as rows, with the question as it is written, so that each is planned and answered as if
//! it were asked by itself. One that cannot be joined, or fails together with others, is asked alone.

use std::collections::HashSet;
use std::mem::discriminant;
use std::sync::{Arc, PoisonError};

use futures_util::future::join_all;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::clients::{Client, Clients, Keeps, Ready};
use super::read_row;
use crate::StoreError;
use crate::tx::{Param, Row};

/// Questions that may wait; more are refused at once.
const QUEUE: usize = 4096;

/// Questions that share a statement.
const TOGETHER: usize = 64;

/// The way to the connections that answer quick questions. Cheap to clone.
#[derive(Clone)]
pub(super) struct Questions(mpsc::Sender<Question>);

/// A question that waits to be asked.
struct Question {
    text: String,
    values: Vec<Param>,
    answer: oneshot::Sender<Answer>,
}

type Answer = Result<Vec<Row>, StoreError>;

impl Question {
    /// The same question, but for the values.
    fn is_like(&self, other: &Self) -> bool {
        let types = |question: &'_ Self| question.values.iter().map(discriminant).collect::<Vec<_>>();
        self.text == other.text && types(self) == types(other)
    }

    fn close_with(self, answer: Answer) {
        // Nobody waits any more.
        let _ = self.answer.send(answer);
    }
}

impl Questions {
    /// Answers on so many connections, until nobody can ask any more.
    pub(super) fn start(clients: &Clients, connections: usize) -> Self {
        let (queue, questions) = mpsc::channel(QUEUE);
        let (questions, apart) = (Arc::new(Mutex::new(questions)), Arc::new(Apart::default()));
        for _ in 0..connections {
            tokio::spawn(run(clients.clone(), Arc::clone(&questions), Arc::clone(&apart)));
        }
        Self(queue)
    }

    pub(super) async fn ask(&self, text: &str, values: &[Param]) -> Answer {
        let (answer, answered) = oneshot::channel();
        let question = Question { text: text.to_owned(), values: values.to_vec(), answer };
        self.0.try_send(question).map_err(|_| StoreError::Busy)?;
        let gone = |_| Err(StoreError::Unexpected("nobody answers quick questions".to_owned()));
        answered.await.unwrap_or_else(gone)
    }
}

/// Answers on one connection, which is opened anew when it was lost.
async fn run(clients: Clients, questions: Arc<Mutex<mpsc::Receiver<Question>>>, apart: Arc<Apart>) {
    let mut kept: Option<Client> = None;
    while let Some(group) = next_group(&questions).await {
        let client = match kept.take().filter(|client| !client.is_closed()) {
            Some(client) => Ok(client),
            None => connect(&clients).await,
        };
        match client {
            Ok(client) => {
                let alike = alike(group).into_iter().map(|questions| settle(&client, &apart, questions));
                join_all(alike).await;
                kept = Some(client);
            }
            Err(error) => group.into_iter().for_each(|question| question.close_with(Err(error.clone()))),
        }
    }
}

/// A connection for quick questions. Their plans do not depend on the values, but PostgreSQL takes a plan for several values to be dearer than
/// one for the two or three that it sees, and would plan most groups anew, which costs more than answering them. Behind a pooler that keeps
/// no sessions there are no plans to keep, and what is set would be set for others.
async fn connect(clients: &Clients) -> Result<Client, StoreError> {
    let client = clients.get().await?;
    if clients.keeps() == Keeps::Session {
        client.batch("SET plan_cache_mode TO force_generic_plan").await?;
    }
    Ok(client)
}

async fn next_group(questions: &Mutex<mpsc::Receiver<Question>>) -> Option<Vec<Question>> {
    let mut questions = questions.lock().await;
    let mut group = vec![questions.recv().await?];
    while group.len() < TOGETHER
        && let Ok(question) = questions.try_recv()
    {
        group.push(question);
    }
    Some(group)
}

/// Sorts questions into those that differ in nothing but their values.
fn alike(group: Vec<Question>) -> Vec<Vec<Question>> {
    let mut sorted: Vec<Vec<Question>> = Vec::new();
    for question in group {
        let same = |others: &&mut Vec<Question>| others.first().is_some_and(|other| question.is_like(other));
        match sorted.iter_mut().find(same) {
            Some(others) => others.push(question),
            None => sorted.push(vec![question]),
        }
    }
    sorted
}

/// Answers questions that are alike.
async fn settle(client: &Client, apart: &Apart, questions: Vec<Question>) {
    let text = (questions.len() > 1).then(|| joint(questions.first()?)).flatten();
    let Some(text) = text.filter(|_| !apart.holds(&questions)) else {
        return settle_each(client, questions).await;
    };
    let answers = match client.prepare(&text).await {
        Ok(statement) => ask_together(client, &statement, &questions).await,
        Err(error) => Err(apart.keep(&questions, error.into())),
    };
    match answers {
        Ok(answers) => {
            for (question, rows) in questions.into_iter().zip(answers) {
                question.close_with(Ok(rows));
            }
        }
        Err(StoreError::Unavailable(why)) => {
            for question in questions {
                question.close_with(Err(StoreError::Unavailable(why.clone())));
            }
        }
        Err(_) => settle_each(client, questions).await,
    }
}

async fn settle_each(client: &Client, questions: Vec<Question>) {
    let each = questions.into_iter().map(async |question| {
        let answer = ask_alone(client, &question).await;
        question.close_with(answer);
    });
    join_all(each).await;
}

async fn ask_alone(client: &Client, question: &Question) -> Answer {
    let statement = client.prepare(&question.text).await?;
    client.ask(&statement, &question.values).await?.iter().map(|row| read_row(row, 0)).collect()
}

/// The answers, in the order of the questions.
async fn ask_together(
    client: &Client,
    statement: &Ready,
    questions: &[Question],
) -> Result<Vec<Vec<Row>>, StoreError> {
    let columns = columns(questions);
    let mut answers: Vec<Vec<Row>> = questions.iter().map(|_| Vec::new()).collect();
    for row in client.ask(statement, &columns).await? {
        let place: i64 = row.try_get(0)?;
        let answer = usize::try_from(place - 1).ok().and_then(|place| answers.get_mut(place));
        let stranger = || StoreError::corrupt("a common question", "an answer to no question");
        answer.ok_or_else(stranger)?.push(read_row(&row, 1)?);
    }
    Ok(answers)
}

/// Texts that PostgreSQL does not take with the values of several in one statement.
#[derive(Default)]
struct Apart(std::sync::Mutex<HashSet<String>>);

impl Apart {
    fn holds(&self, questions: &[Question]) -> bool {
        let texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        questions.first().is_some_and(|question| texts.contains(&question.text))
    }

    /// Keeps the text of these questions, unless the error is one that passes.
    fn keep(&self, questions: &[Question], error: StoreError) -> StoreError {
        if !error.may_pass() {
            let text = questions.first().map(|question| question.text.clone());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(text);
        }
        error
    }
}

/// The common statement for questions like this one: `SELECT a FROM t WHERE b = $1` becomes
///
/// ```sql
/// SELECT asked.place, found.* FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (v1, place),
///     LATERAL (SELECT a FROM t WHERE b = asked.v1) AS found
/// ```
///
/// `None` where a value is of no type that is joined.
fn joint(question: &Question) -> Option<String> {
    let (mut types, mut names, mut text) = (Vec::new(), Vec::new(), question.text.clone());
    let known = question.values.iter().filter(|value| **value != Param::Null).count();
    // The last ones first, because `$1` is also the beginning of `$10`.
    for (place, value) in question.values.iter().enumerate().rev() {
        let number = place + 1;
        let of = match value {
            Param::Id(_) => "uuid",
            Param::Text(_) => "text",
            Param::Int(_) => "bigint",
            Param::Null => {
                text = text.replace(&format!("${number}"), "NULL");
                continue;
            }
            _ => return None,
        };
        types.push(format!("${}::{of}[]", known - types.len()));
        names.push(format!("v{number}, "));
        text = text.replace(&format!("${number}"), &format!("asked.v{number}"));
    }
    types.reverse();
    names.reverse();
    (known > 0).then(|| {
        format!(
            "SELECT asked.place, found.* FROM unnest({}) WITH ORDINALITY AS asked ({}place), LATERAL ({text}) AS found",
            types.join(", "),
            names.concat()
        )
    })
}

/// The values of questions that are alike, by their place in the text; without those that are missing.
fn columns(questions: &[Question]) -> Vec<Param> {
    let count = questions.first().map_or(0, |question| question.values.len());
    let column = |place: usize| {
        let (mut ids, mut texts, mut ints) = (Vec::new(), Vec::new(), Vec::new());
        for value in questions.iter().filter_map(|question| question.values.get(place)) {
            match value {
                Param::Id(id) => ids.push(Some(*id)),
                Param::Text(text) => texts.push(text.clone()),
                Param::Int(int) => ints.push(*int),
                _ => {}
            }
        }
        let columns = [
            (ids.len(), Param::Ids(ids)),
            (texts.len(), Param::Texts(texts)),
            (ints.len(), Param::Ints(ints)),
        ];
        columns.into_iter().find(|(len, _)| *len > 0).map(|(_, column)| column)
    };
    (0..count).filter_map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(text: &str, values: Vec<Param>) -> Question {
        Question { text: text.to_owned(), values, answer: oneshot::channel().0 }
    }

    #[test]
    fn a_common_statement_keeps_every_value_in_its_place() {
        let mut values: Vec<Param> = (0..9).map(Param::Int).collect();
        values.extend([Param::Text("a".to_owned()), Param::Null]);
        let one = question("SELECT $10, $1, coalesce($11, $9)", values);
        assert_eq!(
            joint(&one).as_deref(),
            Some(
                "SELECT asked.place, found.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], \
                 $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::text[]) WITH ORDINALITY \
                 AS asked (v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, place), \
                 LATERAL (SELECT asked.v10, asked.v1, coalesce(NULL, asked.v9)) AS found"
            )
        );
        assert_eq!(joint(&question("SELECT 1", Vec::new())), None);
        assert_eq!(joint(&question("SELECT $1", vec![Param::Bytes(vec![1])])), None);
    }

    #[test]
    fn only_questions_that_differ_in_nothing_but_their_values_are_joined() {
        let asked = |text, value| question(text, vec![value]);
        let sorted = alike(vec![
            asked("SELECT $1", Param::Int(1)),
            asked("SELECT $1", Param::Null),
            asked("SELECT -$1", Param::Int(2)),
            asked("SELECT $1", Param::Int(3)),
        ]);
        let columns: Vec<_> = sorted.iter().map(|questions| columns(questions)).collect();
        let ints = |of: &[i64]| vec![Param::Ints(of.to_vec())];
        assert_eq!(columns, [ints(&[1, 3]), Vec::new(), ints(&[2])]);
    }
}
