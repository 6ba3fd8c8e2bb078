//! What every voice must do, whoever makes it: the stand-ins of vendors, and the programs that are on this machine.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use providers::Endpoint;
use providers::speaking::{ElevenLabsSettings, VoiceSettings, Voices, check_synthesiser, synthesiser};
use serde_json::json;
use speech::{SpeechError, StreamingSynthesiser, SynthesisConfig, VoiceChoice};

use crate::vendor::{KEY, Manner, Vendor, sentences};

const PATIENCE: Duration = Duration::from_secs(3);

fn config(sample_rate: u32, voice: serde_json::Value) -> SynthesisConfig {
    SynthesisConfig { sample_rate, voice: VoiceChoice::of_agent(voice.as_object()), language: None }
}

/// All sound of a text in pieces.
async fn speak(
    voice: &dyn StreamingSynthesiser,
    pieces: &[&str],
    config: SynthesisConfig,
) -> Result<Vec<i16>, SpeechError> {
    let pieces: Vec<String> = pieces.iter().map(|&piece| piece.to_owned()).collect();
    let speaking = async {
        let mut sound = voice.speak(Box::pin(stream::iter(pieces)), config).await?;
        let mut samples = Vec::new();
        while let Some(chunk) = sound.next().await {
            let chunk = chunk?;
            assert!(!chunk.is_empty(), "no chunk is empty");
            samples.extend(chunk);
        }
        Ok(samples)
    };
    tokio::time::timeout(Duration::from_secs(60), speaking).await.expect("a stream ends")
}

/// The demands. `longest` is how many characters the vendor takes at once.
async fn conforms(voice: &dyn StreamingSynthesiser, longest: usize) {
    assert!(!voice.name().is_empty());
    let usual = |rate| config(rate, json!(null));
    for rate in [8000, 16_000, 48_000] {
        let one = speak(voice, &["One sentence."], usual(rate)).await.expect("sound");
        let seconds = one.len() / rate as usize;
        assert!(one.len() > rate as usize / 4 && seconds < 10, "{seconds} seconds at {rate} Hz");
        let two = speak(voice, &["One sentence.", "And another one."], usual(rate)).await.expect("sound");
        assert!(two.len() > one.len() * 3 / 2);
    }
    for silent in [&[] as &[&str], &[""], &[" ", "—", "…"], &["🙂"]] {
        assert_eq!(speak(voice, silent, usual(8000)).await, Ok(Vec::new()), "{silent:?}");
    }
    for spoken in [
        "Grüße aus Łódź, ¿qué tal?",
        "a\u{0}b\u{1b}[31m",
        "$(reboot) `id` -o /etc/passwd",
        "<speak>one</speak> & \"two\"",
    ] {
        let sound = speak(voice, &[spoken], usual(8000)).await.expect("sound");
        assert!(sound.len() > 800, "{spoken}");
    }
    let long = "and so on ".repeat(longest / 10 + 10);
    speak(voice, &[&long], usual(8000)).await.expect("a long text is cut, not refused");
    let unknown = config(8000, json!({ "provider": "nobody-knows", "voiceId": "../x" }));
    assert!(voice.lacks(&unknown.voice).is_some_and(|told| told.contains("nobody-knows")));
    assert!(!speak(voice, &["One."], unknown).await.expect("the usual voice speaks").is_empty());
    assert_eq!(voice.lacks(&VoiceChoice::default()), None);
    let text = stream::iter(["One.".to_owned()]).chain(stream::pending());
    let mut waiting = voice.speak(Box::pin(text), usual(8000)).await.expect("sound before the text is over");
    waiting.next().await.expect("sound").expect("no error");
    drop(waiting);
    check_synthesiser(voice).await.expect("the check of the doctor");
}

fn openai(vendor: &Vendor, key: &str) -> Arc<dyn StreamingSynthesiser> {
    let endpoint = Endpoint {
        base_url: format!("http://{}/v1", vendor.address),
        api_key: Some(key.to_owned()),
        model: "tts-1".to_owned(),
    };
    synthesiser(VoiceSettings::OpenAi { endpoint, voice: "alloy".to_owned() }, PATIENCE)
}

fn elevenlabs(vendor: &Vendor, key: &str) -> Arc<dyn StreamingSynthesiser> {
    let settings = ElevenLabsSettings {
        base_url: format!("http://{}", vendor.address),
        api_key: key.to_owned(),
        model: "eleven_flash_v2_5".to_owned(),
        voice: "usual".to_owned(),
    };
    synthesiser(VoiceSettings::ElevenLabs(settings), PATIENCE)
}

#[tokio::test]
async fn an_endpoint_for_speech_conforms_with_and_without_a_header() {
    let vendor = Vendor::start().await;
    conforms(&*openai(&vendor, KEY), 5000).await;
    vendor.behave(Manner::Plain);
    conforms(&*openai(&vendor, KEY), 5000).await;
}

#[tokio::test]
async fn elevenlabs_conforms() {
    let vendor = Vendor::start().await;
    conforms(&*elevenlabs(&vendor, KEY), 5000).await;
}

#[tokio::test]
async fn what_is_said_is_what_is_heard_at_every_rate() {
    let vendor = Vendor::start().await;
    for voice in [openai(&vendor, KEY), elevenlabs(&vendor, KEY)] {
        for rate in [8000, 16_000, 22_050, 48_000] {
            let sound =
                speak(&*voice, &["one two.", "three"], config(rate, json!(null))).await.expect("sound");
            assert_eq!(sentences(&sound, rate), "one two three", "{} at {rate} Hz", voice.name());
        }
    }
    vendor.behave(Manner::Plain);
    let sound =
        speak(&*openai(&vendor, KEY), &["three one"], config(8000, json!(null))).await.expect("sound");
    assert_eq!(sentences(&sound, 8000), "three one");
}

#[tokio::test]
async fn the_voice_of_the_agent_is_asked_for_and_the_usual_one_where_it_is_refused() {
    let mut vendor = Vendor::start().await;
    let asked = |vendor: &mut Vendor| vendor.requests().pop().expect("a request");
    let voice = json!({ "provider": "openai", "voiceId": "coral", "speed": 1.2 });
    speak(&*openai(&vendor, KEY), &["one"], config(8000, voice)).await.expect("sound");
    let body = asked(&mut vendor);
    assert_eq!((&body["voice"], &body["speed"]), (&json!("coral"), &json!(1.2)));
    let voice = json!({ "provider": "11labs", "voiceId": "pau/la", "model": "eleven_v3", "stability": 0.4 });
    speak(&*elevenlabs(&vendor, KEY), &["one"], config(8000, voice)).await.expect("sound");
    let body = asked(&mut vendor);
    assert_eq!(body["path"], "/v1/text-to-speech/pau%2Fla/stream?output_format=pcm_8000");
    assert_eq!((&body["model_id"], &body["voice_settings"]["stability"]), (&json!("eleven_v3"), &json!(0.4)));
    let refused = config(8000, json!({ "provider": "openai", "voiceId": "nobody" }));
    speak(&*openai(&vendor, KEY), &["one"], refused).await.expect("sound");
    assert_eq!(asked(&mut vendor)["voice"], "alloy");
}

type Make = fn(&Vendor, &str) -> Arc<dyn StreamingSynthesiser>;

#[tokio::test]
async fn faults_of_vendors_are_told_apart() {
    let vendor = Vendor::start().await;
    let text = "and so on and on and on and on and on";
    for make in [openai as Make, elevenlabs as Make] {
        vendor.behave(Manner::Fine);
        let wrong = speak(&*make(&vendor, "sk-wrong"), &[text], config(8000, json!(null))).await;
        assert_eq!(wrong, Err(SpeechError::Auth));
        for (manner, good) in [
            (
                Manner::Silent,
                &(|error: &SpeechError| matches!(error, SpeechError::Retry { .. }))
                    as &dyn Fn(&SpeechError) -> bool,
            ),
            (Manner::Cut, &|error| matches!(error, SpeechError::Retry { .. })),
            (Manner::Garbage, &|error| matches!(error, SpeechError::Malformed(_))),
            (
                Manner::Busy,
                &|error| matches!(error, SpeechError::Retry { after: Some(after), .. } if after.as_secs() == 7),
            ),
        ] {
            vendor.behave(manner);
            let voice = make(&vendor, KEY);
            let text = [text];
            let speaking = speak(&*voice, &text, config(8000, json!(null)));
            let end = tokio::time::timeout(PATIENCE * 3, speaking).await;
            let error = end.expect("nobody waits much longer than the patience").expect_err("an error");
            assert!(good(&error), "{manner:?}: {error}");
        }
    }
}

#[tokio::test]
async fn leaving_a_stream_stops_the_vendor() {
    let mut vendor = Vendor::start().await;
    let text = "and so on and so on and so on and so on and so on. ".repeat(5);
    let voice = openai(&vendor, KEY);
    let pieces: Vec<String> = vec![text; 50];
    let mut sound =
        voice.speak(Box::pin(stream::iter(pieces)), config(8000, json!(null))).await.expect("sound");
    sound.next().await.expect("sound").expect("no error");
    drop(sound);
    let left = tokio::time::timeout(Duration::from_secs(5), vendor.left.recv()).await;
    left.expect("the vendor sees that nobody listens");
    assert!(vendor.requests().len() <= 2, "nothing more was asked for");
}

#[tokio::test]
async fn the_agents_provider_speaks_and_the_next_takes_over_in_the_middle_of_a_text() {
    let (first, second) = (Vendor::start().await, Vendor::start().await);
    let mut vendors = (first, second);
    let voices = Voices::new(vec![openai(&vendors.0, KEY), elevenlabs(&vendors.1, KEY)]).expect("two");
    let chosen = config(8000, json!({ "provider": "11labs", "voiceId": "paula" }));
    assert_eq!(voices.lacks(&chosen.voice), None);
    speak(&voices, &["one"], chosen).await.expect("sound");
    assert_eq!((vendors.0.requests().len(), vendors.1.requests().len()), (0, 1));
    let other = config(8000, json!({ "provider": "cartesia", "voiceId": "paula" }));
    assert!(voices.lacks(&other.voice).is_some_and(|told| told.contains("cartesia")));
    for manner in [Manner::Busy, Manner::Silent, Manner::Garbage] {
        vendors.0.behave(manner);
        let sound = speak(&voices, &["one two", "three"], config(8000, json!({ "voiceId": "coral" }))).await;
        assert_eq!(sentences(&sound.expect("sound"), 8000), "one two three", "{manner:?}");
        assert!(
            vendors
                .1
                .requests()
                .iter()
                .all(|asked| asked["path"].as_str().is_some_and(|path| path.contains("/usual/")))
        );
    }
    vendors.1.behave(Manner::Busy);
    let error = speak(&voices, &["one"], config(8000, json!(null))).await;
    assert!(matches!(error, Err(SpeechError::Retry { .. })));
}

#[tokio::test]
async fn the_programs_of_this_machine_conform() {
    let patience = Duration::from_secs(30);
    if let Some(flite) = providers::find_program("flite") {
        conforms(&*synthesiser(VoiceSettings::Flite(flite), patience), 1000).await;
    }
    if let Some(espeak) = providers::find_program("espeak-ng") {
        conforms(&*synthesiser(VoiceSettings::Espeak(espeak), patience), 1000).await;
    }
}
