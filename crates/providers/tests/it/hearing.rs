//! What every recogniser must do, whoever makes it: the stand-ins of vendors, and the programs that are on this machine.

use std::sync::Arc;
use std::time::Duration;

use domain::LanguageTag;
use futures_util::{StreamExt as _, stream};
use media::resample;
use providers::Endpoint;
use providers::hearing::{DeepgramSettings, RecogniserSettings, Recognisers, check_recogniser, recogniser};
use providers::speaking::{VoiceSettings, synthesiser};
use speech::{
    Recogniser, RecogniserEvent, RecogniserSession, RecognitionConfig, SpeechError, SynthesisConfig,
    Transcript,
};

use crate::vendor::{KEY, Manner, SENTENCES, Vendor, tone};

const PATIENCE: Duration = Duration::from_secs(3);

/// A sentence as sound at a rate, and the words that have to come of it.
struct Sentence {
    sound: Box<dyn Fn(u32) -> Vec<i16> + Send + Sync>,
    words: String,
}

fn tones() -> Vec<Sentence> {
    let sentence = |&(words, hertz): &(&str, f64)| Sentence {
        sound: Box::new(move |rate| tone(hertz, rate, Duration::from_millis(900))),
        words: words.to_owned(),
    };
    SENTENCES.iter().map(sentence).collect()
}

/// Pushes silence and sentences as a telephone does, in frames of 20 ms, and says what voice detection would.
fn play(session: &mut RecogniserSession, rate: u32, sentences: &[&Sentence]) {
    let silence = vec![0; rate as usize * 7 / 10];
    let frames = |session: &mut RecogniserSession, sound: &[i16]| {
        sound.chunks(rate as usize / 50).for_each(|frame| session.input.push(frame));
    };
    frames(session, &silence);
    for sentence in sentences {
        let sound = (sentence.sound)(rate);
        let detected = sound.len().min(rate as usize / 5);
        frames(session, &sound[..detected]);
        session.input.speech_started();
        frames(session, &sound[detected..]);
        frames(session, &silence[..silence.len() / 3]);
        session.input.speech_stopped();
        frames(session, &silence);
    }
}

/// Everything that a session reports.
async fn report(session: RecogniserSession) -> Vec<Result<RecogniserEvent, SpeechError>> {
    let RecogniserSession { input, events } = session;
    input.finish();
    let all = tokio::time::timeout(Duration::from_secs(30), events.collect()).await;
    all.expect("a session that was finished ends")
}

fn finals(events: &[Result<RecogniserEvent, SpeechError>]) -> Vec<Transcript> {
    let last = |event: &Result<RecogniserEvent, SpeechError>| match event {
        Ok(RecogniserEvent::Final(transcript)) if !transcript.text.is_empty() => Some(transcript.clone()),
        Ok(_) => None,
        Err(error) => panic!("{error}"),
    };
    events.iter().filter_map(last).collect()
}

/// The demands.
async fn conforms(recogniser: &dyn Recogniser, sentences: &[Sentence]) {
    assert!(!recogniser.name().is_empty());
    for rate in [8000, 16_000, 48_000] {
        let config = || RecognitionConfig {
            sample_rate: rate,
            languages: vec![LanguageTag::parse("en-US").expect("a language")],
            hints: sentences
                .iter()
                .map(|sentence| sentence.words.clone())
                .chain(["Łódź & Köln ¿?".to_owned()])
                .collect(),
        };
        let open = || async { recogniser.open(config()).await.expect("a session") };

        let nothing = report(open().await).await;
        assert!(finals(&nothing).is_empty(), "without sound there are no words: {nothing:?}");

        let mut silent = open().await;
        play(&mut silent, rate, &[]);
        let silence = report(silent).await;
        assert!(finals(&silence).is_empty(), "silence has no words: {silence:?}");

        let [first, second, ..] = sentences else { panic!("two sentences at least") };
        for order in [vec![first], vec![first, second], vec![second, first]] {
            let mut session = open().await;
            play(&mut session, rate, &order);
            let events = report(session).await;
            let finals = finals(&events);
            let heard: Vec<&str> = finals.iter().map(|transcript| transcript.text.as_str()).collect();
            let said: Vec<&str> = order.iter().map(|sentence| sentence.words.as_str()).collect();
            assert_eq!(heard, said, "at {rate} Hz: {events:?}");
            let mut before = Duration::ZERO;
            for transcript in &finals {
                assert!(before <= transcript.start && transcript.start < transcript.end, "{finals:?}");
                let inside = |word: &speech::Word| {
                    transcript.start <= word.start && word.end <= transcript.end + Duration::from_millis(1)
                };
                assert!(transcript.words.iter().all(inside), "{transcript:?}");
                before = transcript.end;
            }
            assert!(finals[0].start < Duration::from_millis(1100), "it begins where it was said: {finals:?}");
        }

        let mut abandoned = open().await;
        play(&mut abandoned, rate, &[first]);
        drop(abandoned);
        let RecogniserSession { mut input, events } = open().await;
        drop(events);
        (0..2000).for_each(|_| input.push(&[1; 160]));
    }
    check_recogniser(recogniser).await.expect("the check of the doctor");
}

fn openai(vendor: &Vendor, key: &str) -> Arc<dyn Recogniser> {
    let endpoint = Endpoint {
        base_url: format!("http://{}/v1", vendor.address),
        api_key: Some(key.to_owned()),
        model: "whisper-1".to_owned(),
    };
    recogniser(RecogniserSettings::OpenAi(endpoint), PATIENCE)
}

fn deepgram(vendor: &Vendor, key: &str) -> Arc<dyn Recogniser> {
    let settings = DeepgramSettings {
        base_url: format!("http://{}", vendor.address),
        api_key: key.to_owned(),
        model: "nova-3".to_owned(),
    };
    recogniser(RecogniserSettings::Deepgram(settings), PATIENCE)
}

#[tokio::test]
async fn an_endpoint_for_transcription_conforms_streaming_or_not() {
    let mut vendor = Vendor::start().await;
    let hears = openai(&vendor, KEY);
    conforms(&*hears, &tones()).await;
    let asked = vendor.requests();
    assert!(asked.iter().all(|asked| asked["rate"] == 16_000 && asked["model"] == "whisper-1"));
    assert!(asked.iter().any(|asked| asked["language"] == "en"
        && asked["prompt"].as_str().is_some_and(|text| text.contains("Łódź"))));
    vendor.behave(Manner::Plain);
    conforms(&*hears, &tones()).await;
    let unstreamed = vendor.requests().iter().filter(|asked| asked["stream"].is_null()).count();
    assert!(unstreamed > 5, "the refusal to stream is remembered");
}

#[tokio::test]
async fn deepgram_conforms() {
    let mut vendor = Vendor::start().await;
    conforms(&*deepgram(&vendor, KEY), &tones()).await;
    let asked = vendor.requests();
    assert!(asked.iter().any(|query| query["sample_rate"] == "8000" && query["language"] == "en-US"));
    assert!(asked.iter().all(|query| query["encoding"] == "linear16" && query["model"] == "nova-3"));
}

#[tokio::test]
async fn partial_transcripts_come_before_the_last_word() {
    let vendor = Vendor::start().await;
    for hears in [openai(&vendor, KEY), deepgram(&vendor, KEY)] {
        let mut session = hears.open(RecognitionConfig::at_rate(8000)).await.expect("a session");
        play(&mut session, 8000, &[&tones()[1]]);
        let events = report(session).await;
        let last =
            events.iter().position(|event| matches!(event, Ok(RecogniserEvent::Final(_)))).expect("words");
        let partial = |event: &Result<RecogniserEvent, SpeechError>| matches!(event, Ok(RecogniserEvent::Partial(transcript)) if transcript.text == "two");
        assert!(events[..last].iter().any(partial), "{}: {events:?}", hears.name());
    }
}

/// The error that ends a session in which a sentence is said, within reasonable time.
async fn failure(hears: &dyn Recogniser) -> SpeechError {
    let listening = async {
        let mut session = match hears.open(RecognitionConfig::at_rate(8000)).await {
            Ok(session) => session,
            Err(error) => return error,
        };
        play(&mut session, 8000, &[&tones()[0], &tones()[1]]);
        let events = report(session).await;
        events.last().expect("an end").clone().expect_err("an error ends it")
    };
    tokio::time::timeout(PATIENCE * 4, listening).await.expect("nobody waits much longer than the patience")
}

type Make = fn(&Vendor, &str) -> Arc<dyn Recogniser>;

#[tokio::test]
async fn faults_of_vendors_are_told_apart() {
    let vendor = Vendor::start().await;
    for make in [openai as Make, deepgram as Make] {
        vendor.behave(Manner::Fine);
        assert_eq!(failure(&*make(&vendor, "sk-wrong")).await, SpeechError::Auth);
        let is_retry = |error: &SpeechError| matches!(error, SpeechError::Retry { .. });
        for (manner, good) in [
            (Manner::Silent, &is_retry as &dyn Fn(&SpeechError) -> bool),
            (Manner::Cut, &is_retry),
            (Manner::Garbage, &|error| matches!(error, SpeechError::Malformed(_))),
            (
                Manner::Busy,
                &|error| matches!(error, SpeechError::Retry { after: Some(after), .. } if after.as_secs() == 7),
            ),
        ] {
            vendor.behave(manner);
            let error = failure(&*make(&vendor, KEY)).await;
            assert!(good(&error), "{manner:?}: {error}");
        }
    }
    let nobody = Vendor::nobody().await;
    assert!(matches!(failure(&*deepgram(&nobody, KEY)).await, SpeechError::Retry { .. }));
    assert!(matches!(failure(&*openai(&nobody, KEY)).await, SpeechError::Retry { .. }));
}

#[tokio::test]
async fn a_vendor_that_keeps_failing_is_left_alone() {
    let mut vendor = Vendor::start().await;
    vendor.behave(Manner::Busy);
    let hears = deepgram(&vendor, KEY);
    for _ in 0..5 {
        assert!(hears.open(RecognitionConfig::at_rate(8000)).await.is_err());
    }
    vendor.behave(Manner::Fine);
    let error = hears.open(RecognitionConfig::at_rate(8000)).await.expect_err("it is left alone");
    assert!(matches!(error, SpeechError::Retry { after: Some(_), .. }));
    assert!(vendor.requests().is_empty());
}

#[tokio::test]
async fn leaving_a_session_closes_the_connection() {
    let mut vendor = Vendor::start().await;
    let mut session = deepgram(&vendor, KEY).open(RecognitionConfig::at_rate(8000)).await.expect("a session");
    play(&mut session, 8000, &[&tones()[0]]);
    session.events.next().await.expect("an event").expect("words");
    drop(session.events);
    tokio::time::timeout(Duration::from_secs(5), vendor.left.recv()).await.expect("the connection is closed");
}

#[tokio::test]
async fn the_next_recogniser_hears_the_rest_and_no_sentence_is_lost() {
    let (broken, good) = (Vendor::start().await, Vendor::start().await);
    for manner in [Manner::Fine, Manner::Cut, Manner::Busy, Manner::Silent, Manner::Garbage] {
        broken.behave(manner);
        for first in [deepgram(&broken, KEY), openai(&broken, KEY)] {
            let both = Recognisers::new(vec![first, openai(&good, KEY)]).expect("two");
            let mut session = both.open(RecognitionConfig::at_rate(8000)).await.expect("a session");
            let tones = tones();
            play(&mut session, 8000, &[&tones[0], &tones[1], &tones[2]]);
            let finals = finals(&report(session).await);
            let heard: Vec<&str> = finals.iter().map(|transcript| transcript.text.as_str()).collect();
            assert_eq!(heard, ["one", "two", "three"], "{manner:?}: {finals:?}");
            assert!(finals[2].start > Duration::from_secs(3), "times stay those of the call: {finals:?}");
        }
    }
    let alone =
        Recognisers::new(vec![deepgram(&broken, "sk-wrong"), openai(&broken, "sk-wrong")]).expect("two");
    let mut session =
        alone.open(RecognitionConfig::at_rate(8000)).await.expect("the second is only asked later");
    play(&mut session, 8000, &[&tones()[0]]);
    assert_eq!(report(session).await.pop().expect("an end"), Err(SpeechError::Auth));
}

#[tokio::test]
async fn the_programs_of_this_machine_conform_to_real_speech() {
    let model = "/usr/share/pocketsphinx/model/en-us";
    let (Some(program), Some(flite)) =
        (providers::find_program("pocketsphinx_continuous"), providers::find_program("flite"))
    else {
        return;
    };
    let voice = synthesiser(VoiceSettings::Flite(flite), Duration::from_secs(20));
    let mut sentences = Vec::new();
    for words in ["i would like to book an appointment", "yes please", "call me back on tuesday"] {
        let config = SynthesisConfig { sample_rate: 16_000, ..SynthesisConfig::default() };
        let text = Box::pin(stream::iter([words.to_owned()]));
        let mut sound = voice.speak(text, config).await.expect("speech");
        let mut samples = Vec::new();
        while let Some(chunk) = sound.next().await {
            samples.extend(chunk.expect("no error"));
        }
        // As a telephone passes it on.
        let narrow = resample::whole(&samples, 16_000, 8000);
        sentences.push(Sentence {
            sound: Box::new(move |rate| resample::whole(&narrow, 8000, rate)),
            words: words.to_owned(),
        });
    }
    let settings = RecogniserSettings::Pocketsphinx { program, model: model.into(), sentences: Vec::new() };
    conforms(&*recogniser(settings, Duration::from_secs(20)), &sentences).await;
}
