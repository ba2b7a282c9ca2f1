//! Certificates for a server that speaks TLS, made by the `openssl` program.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Puts `ca.crt`, `server.crt`, `server.key` (for localhost and 127.0.0.1), `client.crt` and `client.key` (for `postgres`) into `dir`.
pub(crate) fn make_certificates(dir: &Path) {
    openssl(
        dir,
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "ca.key",
            "-out",
            "ca.crt",
            "-days",
            "30",
            "-subj",
            "/CN=test authority",
        ],
    );
    sign(
        dir,
        "server",
        "localhost",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
    );
    sign(dir, "client", "postgres", "extendedKeyUsage=clientAuth");
}

fn sign(dir: &Path, name: &str, subject: &str, extension: &str) {
    let (key, request, certificate) = (
        format!("{name}.key"),
        format!("{name}.csr"),
        format!("{name}.crt"),
    );
    let subject = format!("/CN={subject}");
    fs::write(
        dir.join("extensions"),
        format!("basicConstraints=CA:FALSE\n{extension}\n"),
    )
    .expect("certificate extensions");
    openssl(
        dir,
        &[
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &request, "-subj",
            &subject,
        ],
    );
    openssl(
        dir,
        &[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-out",
            &certificate,
            "-days",
            "30",
            "-extfile",
            "extensions",
        ],
    );
    fs::set_permissions(dir.join(key), fs::Permissions::from_mode(0o600))
        .expect("permissions of a key");
}

fn openssl(dir: &Path, arguments: &[&str]) {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(dir)
        .output()
        .expect("the openssl program");
    assert!(
        output.status.success(),
        "openssl failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
