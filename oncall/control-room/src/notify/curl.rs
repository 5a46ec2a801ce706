//! POST through a curl child. All of the request is in a configuration on its standard input, so no secret is in an
//! argument, which every user of the machine can read.

use std::{path::Path, process::Stdio};

use tokio::{io::AsyncWriteExt as _, process::Command};

use super::{
    exchange::{Answer, CONNECT, LARGEST, PATIENCE, Request, quote, seconds},
    failure::Failure,
};

/// Sends it and reads the answer, whatever its status.
pub(super) async fn post(program: &Path, request: &Request<'_>) -> Result<Answer, Failure> {
    let spawned = Command::new(program)
        .args(["--disable", "--config", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = spawned.map_err(|error| {
        let name = program.display();
        Failure::Never(format!(
            "https:// addresses need `{name}`, which cannot be started ({error}): install curl"
        ))
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        // A curl that ended early says why itself.
        let _ = stdin.write_all(config(request).as_bytes()).await;
    }
    // curl ends by itself before that.
    let waited = tokio::time::timeout(PATIENCE * 2, child.wait_with_output()).await;
    let output = waited
        .map_err(|_| Failure::Unclear("curl did not end in time".to_owned()))?
        .map_err(|error| Failure::Unclear(format!("curl: {error}")))?;
    let why = quote(&String::from_utf8_lossy(&output.stderr));
    match output.status.code() {
        Some(0) => {
            read(&output.stdout).ok_or_else(|| Failure::Unclear("curl's answer cannot be read".to_owned()))
        }
        // A protocol or a URL that it does not know, or an option.
        Some(1..=4) => Err(Failure::Never(why)),
        // No name, no connection, no TLS session, a wrong certificate: nothing was sent.
        Some(5 | 6 | 7 | 35 | 58 | 60 | 77 | 83 | 97) => Err(Failure::not_yet(why)),
        _ => Err(Failure::Unclear(why)),
    }
}

fn config(request: &Request<'_>) -> String {
    let mut lines = vec![
        format!("url = {}", quoted(request.url)),
        "proto = \"=https\"".to_owned(),
        "silent".to_owned(),
        "show-error".to_owned(),
        "include".to_owned(),
        "suppress-connect-headers".to_owned(),
        format!("connect-timeout = {}", CONNECT.as_secs()),
        format!("max-time = {}", PATIENCE.as_secs()),
        format!("max-filesize = {LARGEST}"),
        // No `Expect: 100-continue`: the bodies are small.
        "header = \"expect:\"".to_owned(),
    ];
    lines.extend(
        request
            .headers
            .iter()
            .map(|(name, value)| format!("header = {}", quoted(&format!("{name}: {value}")))),
    );
    // Unlike `data`, it gives `@` no meaning.
    lines.push(format!("data-raw = {}", quoted(&request.body)));
    lines.push(String::new());
    lines.join("\n")
}

/// A value as curl's configuration reads it.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Headers and body, as `include` prints them.
fn read(output: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(output);
    let mut rest: &str = &text;
    loop {
        let (head, body) = rest.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        if status >= 200 {
            let mut headers = lines.filter_map(|line| line.split_once(':'));
            let wait = headers.find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
            return Some(Answer {
                status,
                wait: wait.and_then(|(_, value)| seconds(value)),
                body: body.to_owned(),
            });
        }
        rest = body;
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf, time::Duration};

    use super::*;

    fn request() -> Request<'static> {
        let headers = vec![("authorization", "Bearer s3cret".to_owned())];
        Request {
            url: "https://hooks.example/T0/s3cret",
            headers,
            body: r#"{"text":"a \"b\" \\ ü"}"#.to_owned(),
        }
    }

    /// A program in the place of curl that keeps its input and its arguments.
    fn curl(folder: &Path, then: &str) -> PathBuf {
        let name = folder.display();
        let text = format!("#!/bin/sh\ncat > {name}/input\necho \"$@\" > {name}/arguments\n{then}\n");
        fs::write(folder.join("text"), text).unwrap();
        // Copied by a child: a file that this process has written cannot be started while another test forks.
        let copy = ["-c", "cp text curl && chmod 755 curl"];
        assert!(std::process::Command::new("sh").args(copy).current_dir(folder).status().unwrap().success());
        folder.join("curl")
    }

    #[tokio::test]
    async fn secrets_are_in_its_input_and_not_in_its_arguments() {
        let folder = tempfile::tempdir().unwrap();
        let answers =
            r#"printf 'HTTP/1.1 100 Continue\r\n\r\nHTTP/2 429 \r\nRetry-After: 7\r\n\r\nslow\r\n\r\ndown'"#;
        let answer = post(&curl(folder.path(), answers), &request()).await.unwrap();
        let wait = Some(Duration::from_secs(7));
        assert_eq!(answer, Answer { status: 429, wait, body: "slow\r\n\r\ndown".to_owned() });
        let arguments = fs::read_to_string(folder.path().join("arguments")).unwrap();
        assert_eq!(arguments, "--disable --config -\n");
        let input = fs::read_to_string(folder.path().join("input")).unwrap();
        for line in [
            r#"url = "https://hooks.example/T0/s3cret""#,
            r#"header = "authorization: Bearer s3cret""#,
            r#"data-raw = "{\"text\":\"a \\\"b\\\" \\\\ ü\"}""#,
        ] {
            assert!(input.lines().any(|other| other == line), "{line} is not in {input}");
        }
    }

    #[tokio::test]
    async fn its_exit_code_says_whether_anything_was_sent() {
        let folder = tempfile::tempdir().unwrap();
        let ends = async |code: u8| {
            let then = format!("echo 'curl: ({code}) no' >&2; exit {code}");
            post(&curl(folder.path(), &then), &request()).await.unwrap_err()
        };
        assert_eq!(ends(6).await, Failure::not_yet("curl: (6) no"));
        assert_eq!(ends(28).await, Failure::Unclear("curl: (28) no".to_owned()));
        assert_eq!(ends(3).await, Failure::Never("curl: (3) no".to_owned()));
    }

    #[tokio::test]
    async fn without_curl_the_error_says_what_to_do() {
        let failed = post(Path::new("/no/such/curl"), &request()).await.unwrap_err();
        assert!(failed.why().contains("install curl"), "{failed:?}");
    }
}
