use super::*;

/// A sequence of `length` bytes, which is all that is looked at.
fn der(length: u8) -> Vec<u8> {
    let mut der = vec![0x30, 0x81, length];
    der.extend((0..length).map(|byte| byte.wrapping_mul(7)));
    der
}

#[test]
fn certificates_are_read_and_written() {
    for length in 0..=255 {
        let text = pem(&der(length));
        let read = Authorities::parse(text.as_bytes()).unwrap();
        assert_eq!(read.der().collect::<Vec<_>>(), [der(length)], "{text}");
    }
    // As `openssl x509 -text` and Windows write them.
    let (one, other) = (pem(&der(100)), pem(&der(200)));
    let text = format!("Certificate:\n  Data: x\n{one}\n# company\n{other}").replace('\n', "\r\n");
    let read = Authorities::parse(text.as_bytes()).unwrap();
    assert_eq!(read.der().count(), 2);
    let marked = format!("\u{feff}{text}").replacen("Certificate:\r\n  Data: x\r\n", "", 1);
    assert_eq!(Authorities::parse(marked.as_bytes()).unwrap(), read);
    let old = one.replace("CERTIFICATE", "X509 CERTIFICATE");
    assert!(Authorities::parse(old.as_bytes()).is_ok());
}

#[test]
fn anything_else_is_refused_without_its_content() {
    let good = pem(&der(100));
    let key = good.replace("CERTIFICATE", "RSA PRIVATE KEY");
    let cases: &[(&str, &[u8])] = &[
        ("is empty", b" \n"),
        ("has no certificate", b"hunter2 hunter2 hunter2"),
        ("has no certificate", b"-----BEGIN hunter2-----\n"),
        (
            "is in binary form (DER or PKCS #12), not PEM",
            &[0x30, 0x82, 1, 2, 3],
        ),
        ("has a private key", key.as_bytes()),
        (
            "has a private key",
            &[good.as_bytes(), key.as_bytes()].concat(),
        ),
        (
            "has a `PKCS7`, which is not a certificate",
            &good.replace("CERTIFICATE", "PKCS7").into_bytes(),
        ),
        (
            "is damaged: its certificate 2 is not valid",
            &[good.as_bytes(), &good.as_bytes()[..90]].concat(),
        ),
        (
            "is damaged: its certificate 1 is not valid",
            &good.replacen("\nM", "\nhunter2\nM", 1).into_bytes(),
        ),
        (
            "is damaged: its certificate 1 is not valid",
            b"-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n",
        ),
    ];
    for (expected, text) in cases {
        let error = Authorities::parse(text).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the secret CA_CERTIFICATES {expected}")
        );
        assert!(!error.help().is_empty());
    }
}

#[test]
fn programs_trust_the_public_authorities_too() {
    let root = tempfile();
    let write = |path: &str, text: &str| {
        let path = in_root(&root, OsStr::new(path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let mut env = Variables::new();
    provide(&root, &mut env).unwrap();
    assert_eq!(env, Variables::new());
    let good = pem(&der(100));
    write(GIVEN_FILE, &format!("secret comment\n{good}"));
    write("/etc/ssl/certs/ca-certificates.crt", "system");
    write("/opt/conda/ssl/cacert.pem", "conda");
    write("/own.pem", "own");
    env.insert("CONDA_PREFIX".into(), "/opt/conda".into());
    env.insert("REQUESTS_CA_BUNDLE".into(), "/own.pem".into());
    env.insert("CURL_CA_BUNDLE".into(), "/missing.pem".into());
    let all = || fs::read_to_string(in_root(&root, OsStr::new(ALL_FILE))).unwrap();
    // The second time, the variables name the file itself: one program starts the other.
    for _ in 0..2 {
        provide(&root, &mut env).unwrap();
        for name in VARIABLES {
            assert_eq!(env[OsStr::new(name)], ALL_FILE);
        }
        assert_eq!(all(), format!("system\nconda\nown\n{good}"));
    }
    env.insert("REQUESTS_CA_BUNDLE".into(), "/own.pem".into());
    write("/other.pem", "other");
    env.insert("SSL_CERT_FILE".into(), "/other.pem".into());
    provide(&root, &mut env).unwrap();
    assert_eq!(all(), format!("system\nconda\nown\n{good}other\n"));
    fs::remove_dir_all(&root).unwrap();
}

/// An empty directory.
fn tempfile() -> PathBuf {
    let path = std::env::temp_dir().join(format!("condafront-authorities-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}
