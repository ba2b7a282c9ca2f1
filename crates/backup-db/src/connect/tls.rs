//! TLS as libpq's `sslmode` defines it, by rustls.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_postgres::config::SslNegotiation;

use super::parameters::Parameters;
use super::{ConnectError, invalid};

/// How much TLS is wanted, with libpq's meanings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// Never.
    Disable,
    /// Only when the server refuses a plain connection.
    Allow,
    /// When the server offers it (the default).
    Prefer,
    /// Always; the certificate is verified only when a root certificate is there.
    Require,
    /// Always, with a certificate that a trusted authority signed.
    VerifyCa,
    /// As `VerifyCa`, and the certificate names the host.
    VerifyFull,
}

#[derive(Debug, Clone)]
pub(crate) struct TlsOptions {
    pub(crate) mode: SslMode,
    pub(crate) negotiation: SslNegotiation,
    roots: Option<Roots>,
    client: Option<(PathBuf, PathBuf)>,
}

#[derive(Debug, Clone)]
enum Roots {
    File(PathBuf),
    /// Authorities that the operating system trusts.
    System,
}

/// Where distributions keep the authorities they trust.
const SYSTEM_BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

impl TlsOptions {
    pub(crate) fn from_parameters(
        parameters: &Parameters,
        home: Option<&Path>,
    ) -> Result<Self, ConnectError> {
        let get = |name: &str| parameters.get(name).map(String::as_str);
        let of_home = |name: &str| {
            home.map(|home| home.join(".postgresql").join(name))
                .filter(|path| path.exists())
        };
        let roots = match get("sslrootcert") {
            Some("system") => Some(Roots::System),
            Some(file) => Some(Roots::File(PathBuf::from(file))),
            None => of_home("root.crt").map(Roots::File),
        };
        let mode = match (get("sslmode"), &roots) {
            (Some("verify-full"), _) | (None, Some(Roots::System)) => SslMode::VerifyFull,
            (Some(mode), Some(Roots::System)) => {
                return Err(invalid(format!(
                    "sslmode {mode:?} is too weak for sslrootcert=system: use verify-full"
                )));
            }
            (None | Some("prefer"), _) => SslMode::Prefer,
            (Some("disable"), _) => SslMode::Disable,
            (Some("allow"), _) => SslMode::Allow,
            (Some("require"), _) => SslMode::Require,
            (Some("verify-ca"), _) => SslMode::VerifyCa,
            (Some(other), _) => return Err(invalid(format!("sslmode cannot be {other:?}"))),
        };
        if matches!(mode, SslMode::VerifyCa | SslMode::VerifyFull) && roots.is_none() {
            return Err(invalid(
                "verifying the server needs sslrootcert or ~/.postgresql/root.crt".into(),
            ));
        }
        let negotiation = match get("sslnegotiation") {
            None | Some("postgres") => SslNegotiation::Postgres,
            Some("direct") => SslNegotiation::Direct,
            Some(other) => return Err(invalid(format!("sslnegotiation cannot be {other:?}"))),
        };
        let certificate = get("sslcert")
            .map(PathBuf::from)
            .or_else(|| of_home("postgresql.crt"));
        let key = get("sslkey")
            .map(PathBuf::from)
            .or_else(|| of_home("postgresql.key"));
        let client = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (Some(_), None) => {
                return Err(invalid(
                    "a client certificate needs its key: set sslkey".into(),
                ));
            }
            (None, _) => None,
        };
        Ok(Self {
            mode,
            negotiation,
            roots,
            client,
        })
    }

    /// The configuration of rustls that does what the mode says.
    pub(crate) fn client_config(&self) -> Result<ClientConfig, ConnectError> {
        let provider = Arc::new(ring::default_provider());
        let verifier = self.verifier(Arc::clone(&provider))?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid(format!("TLS cannot be set up: {error}")))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &self.client {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = read_certificates(certificate)?;
                builder
                    .with_client_auth_cert(chain, read_key(key)?)
                    .map_err(|error| unusable(certificate, error))?
            }
        };
        // What direct negotiation asks for; servers that negotiate the old way ignore it.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(config)
    }

    fn verifier(&self, provider: Arc<CryptoProvider>) -> Result<Verifier, ConnectError> {
        let trusted = match (self.mode, &self.roots) {
            (SslMode::Disable | SslMode::Allow | SslMode::Prefer, _) | (_, None) => None,
            (_, Some(Roots::File(file))) => {
                Some(Trusted::new(read_certificates(file)?, file, &provider)?)
            }
            (_, Some(Roots::System)) => Some(Trusted::system(&provider)?),
        };
        Ok(Verifier {
            trusted,
            check_name: self.mode == SslMode::VerifyFull,
            provider,
        })
    }
}

/// Verifies what the mode wants verified.
#[derive(Debug)]
struct Verifier {
    trusted: Option<Trusted>,
    check_name: bool,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
struct Trusted {
    chain: Arc<WebPkiServerVerifier>,
    /// A self-signed server certificate may be its own root: PostgreSQL's manual shows it, webpki refuses it.
    certificates: Vec<CertificateDer<'static>>,
}

impl Trusted {
    fn new(
        certificates: Vec<CertificateDer<'static>>,
        file: &Path,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, ConnectError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        Self::from_store(roots, certificates, provider).map_err(|error| unusable(file, error))
    }

    fn system(provider: &Arc<CryptoProvider>) -> Result<Self, ConnectError> {
        if let Some(bundle) = SYSTEM_BUNDLES
            .iter()
            .map(Path::new)
            .find(|bundle| bundle.exists())
        {
            return Self::new(read_certificates(bundle)?, bundle, provider);
        }
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        Self::from_store(roots, Vec::new(), provider)
            .map_err(|error| unusable(Path::new("system"), error))
    }

    fn from_store(
        roots: RootCertStore,
        certificates: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, rustls::client::VerifierBuilderError> {
        let chain =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
                .build()?;
        Ok(Self {
            chain,
            certificates,
        })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let Some(trusted) = &self.trusted else {
            return Ok(ServerCertVerified::assertion());
        };
        if trusted
            .certificates
            .iter()
            .any(|certificate| certificate == end_entity)
        {
            if self.check_name {
                rustls::client::verify_server_name(
                    &ParsedCertificate::try_from(end_entity)?,
                    server_name,
                )?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        match trusted.chain.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        ) {
            // The name is the last thing that is checked, so the chain is good.
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.check_name => Ok(ServerCertVerified::assertion()),
            outcome => outcome,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(file, error))?;
    if certificates.is_empty() {
        return Err(unusable(file, "it holds no certificate"));
    }
    Ok(certificates)
}

/// Reads a private key, unless others can read it too (root may share its keys with a group, as in libpq).
fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>, ConnectError> {
    let metadata = fs::metadata(file).map_err(|error| unusable(file, error))?;
    let allowed = if metadata.uid() == 0 { 0o640 } else { 0o600 };
    if metadata.permissions().mode() & 0o777 & !allowed != 0 {
        return Err(unusable(
            file,
            "group or others can read it (chmod 0600 it)",
        ));
    }
    PrivateKeyDer::from_pem_file(file).map_err(|error| unusable(file, error))
}

fn unusable(file: &Path, reason: impl ToString) -> ConnectError {
    ConnectError::Certificate {
        file: file.display().to_string(),
        reason: reason.to_string(),
    }
}
