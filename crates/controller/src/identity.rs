//! What the controller proves to be: a certificate by an authority of its own, both in a Secret that all
//! replicas share, renewed before they end.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::api::{Api, PostParams};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use tracing::info;

/// How long an authority and a certificate are good.
const AUTHORITY_DAYS: i64 = 10 * 365;
const CERTIFICATE_DAYS: i64 = 90;
/// How long before its end a certificate is renewed.
const RENEW_DAYS_BEFORE: i64 = 30;
const DAY_SECONDS: i64 = 24 * 60 * 60;
/// When the certificate ends, in seconds since 1970.
const ENDS: &str = "portico.dev/certificate-ends";
/// The hosts that it is for.
const HOSTS: &str = "portico.dev/certificate-hosts";

/// A certificate and everything that belongs to it, in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The authorities that vouch for it; during a rotation the old one, too.
    pub authorities: String,
    /// The certificate.
    pub certificate: Vec<u8>,
    /// Its key.
    pub key: Vec<u8>,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The API server did not take or give it.
    #[error("the Secret with the controller's certificate: {0}")]
    Api(#[from] kube::Error),
    /// It could not be made, or what the Secret holds is not one.
    #[error("the controller's certificate: {0}")]
    Certificate(String),
}

/// The Secret with the controller's certificate.
#[derive(Clone)]
pub struct CredentialsStore {
    secrets: Api<Secret>,
    name: String,
    hosts: Vec<String>,
    is_usable: fn(&Credentials, &str) -> bool,
}

impl CredentialsStore {
    /// The Secret `name` of `namespace`, for a certificate of `hosts`. Who shows the certificate says what
    /// `is_usable`; what is not, because somebody has damaged it, is made anew.
    pub fn new(
        client: Client,
        namespace: &str,
        name: &str,
        hosts: Vec<String>,
        is_usable: fn(&Credentials, &str) -> bool,
    ) -> Self {
        let secrets = Api::namespaced(client, namespace);
        Self { secrets, name: name.to_owned(), hosts, is_usable }
    }

    /// The certificate to be used now. One that is missing, that is not for our hosts or that ends soon is
    /// made; of two replicas that do so at once, one wins and both use its.
    ///
    /// # Errors
    /// The API server is away, or the Secret holds something else.
    pub async fn current(&self) -> Result<Credentials, CredentialsError> {
        for _ in 0..5 {
            let written = match self.secrets.get_opt(&self.name).await? {
                None => {
                    let secret = self.made(None)?;
                    self.secrets.create(&PostParams::default(), &secret).await
                }
                Some(secret) if self.is_good(&secret) => return read(&secret),
                Some(secret) => {
                    let secret = self.made(Some(secret))?;
                    self.secrets.replace(&self.name, &PostParams::default(), &secret).await
                }
            };
            match written {
                Ok(secret) => {
                    info!(secret = self.name, "Made a certificate for the controller.");
                    return read(&secret);
                }
                // Another replica was first.
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CredentialsError::Certificate(
            "somebody else writes the Secret all the time".to_owned(),
        ))
    }

    fn is_good(&self, secret: &Secret) -> bool {
        let annotations = secret.metadata.annotations.as_ref();
        let written = |key: &str| annotations.and_then(|all| all.get(key));
        let ends = written(ENDS).and_then(|ends| ends.parse::<i64>().ok()).unwrap_or_default();
        let renew = ends - RENEW_DAYS_BEFORE * DAY_SECONDS;
        Timestamp::now().as_second() < renew
            && written(HOSTS) == Some(&self.hosts.join(","))
            && read(secret).is_ok_and(|held| self.can_be_used(&held))
    }

    fn can_be_used(&self, held: &Credentials) -> bool {
        self.hosts.first().is_some_and(|host| (self.is_usable)(held, host))
    }

    /// A new certificate, by the authority of `old` where it is one.
    fn made(&self, old: Option<Secret>) -> Result<Secret, CredentialsError> {
        let field = |name: &str| {
            let bytes = old.as_ref()?.data.as_ref()?.get(name)?;
            String::from_utf8(bytes.0.clone()).ok()
        };
        let known = match (field("ca.crt"), field("ca.key")) {
            (Some(authority), Some(key)) => issued_by(&self.hosts, authority, &key).ok(),
            _ => None,
        };
        // What is there may be of two authorities.
        let made = match known.filter(|made| self.can_be_used(&made.credentials())) {
            Some(made) => made,
            None => anew(&self.hosts).map_err(certificate_error)?,
        };
        let ends = Timestamp::now().as_second() + CERTIFICATE_DAYS * DAY_SECONDS;
        let metadata = old.map(|old| old.metadata).unwrap_or_default();
        let mut annotations = metadata.annotations.clone().unwrap_or_default();
        annotations.insert(ENDS.to_owned(), ends.to_string());
        annotations.insert(HOSTS.to_owned(), self.hosts.join(","));
        let data = [
            ("ca.crt", made.authority),
            ("ca.key", made.authority_key),
            ("tls.crt", made.certificate),
            ("tls.key", made.key),
        ];
        let data = data.map(|(name, text)| (name.to_owned(), ByteString(text.into_bytes())));
        Ok(Secret {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                annotations: Some(annotations),
                ..metadata
            },
            data: Some(BTreeMap::from(data)),
            ..Secret::default()
        })
    }
}

struct Made {
    authority: String,
    authority_key: String,
    certificate: String,
    key: String,
}

impl Made {
    fn credentials(&self) -> Credentials {
        Credentials {
            authorities: self.authority.clone(),
            certificate: self.certificate.clone().into_bytes(),
            key: self.key.clone().into_bytes(),
        }
    }
}

fn anew(hosts: &[String]) -> Result<Made, rcgen::Error> {
    let authority = CertifiedIssuer::self_signed(authority()?, KeyPair::generate()?)?;
    let (certificate, key) = issue(hosts, &authority)?;
    let authority_key = authority.key().serialize_pem();
    Ok(Made { authority: authority.pem(), authority_key, certificate, key })
}

/// Of an authority of ours only the key is its own.
fn issued_by(hosts: &[String], pem: String, key: &str) -> Result<Made, rcgen::Error> {
    let issuer = Issuer::new(authority()?, KeyPair::from_pem(key)?);
    let (certificate, own) = issue(hosts, &issuer)?;
    Ok(Made { authority: pem, authority_key: key.to_owned(), certificate, key: own })
}

fn authority() -> Result<CertificateParams, rcgen::Error> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.distinguished_name.push(DnType::CommonName, "portico controller");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    limit(&mut authority, AUTHORITY_DAYS);
    Ok(authority)
}

/// From yesterday, because clocks differ.
fn limit(certificate: &mut CertificateParams, days: i64) {
    let day = |days: i64| {
        let today = Zoned::now().with_time_zone(TimeZone::UTC).date();
        let date = today.saturating_add(Span::new().days(days));
        let part = |number: i8| u8::try_from(number).unwrap_or(1);
        rcgen::date_time_ymd(date.year().into(), part(date.month()), part(date.day()))
    };
    (certificate.not_before, certificate.not_after) = (day(-1), day(days));
}

fn issue(
    hosts: &[String],
    issuer: &Issuer<'_, impl rcgen::SigningKey>,
) -> Result<(String, String), rcgen::Error> {
    let mut certificate = CertificateParams::new(hosts.to_vec())?;
    let name = hosts.first().map(String::as_str).unwrap_or_default();
    // A common name may have 64 characters; the names that count are the others.
    let short: String = name.chars().take(64).collect();
    certificate.distinguished_name.push(DnType::CommonName, short);
    certificate.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    limit(&mut certificate, CERTIFICATE_DAYS);
    let key = KeyPair::generate()?;
    let certificate = certificate.signed_by(&key, issuer)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn read(secret: &Secret) -> Result<Credentials, CredentialsError> {
    let field = |name: &str| {
        let bytes = secret.data.as_ref().and_then(|data| data.get(name));
        let missing = || CredentialsError::Certificate(format!("the Secret has no `{name}`"));
        bytes.map(|bytes| bytes.0.clone()).ok_or_else(missing)
    };
    let authorities = String::from_utf8(field("ca.crt")?).map_err(certificate_error)?;
    Ok(Credentials { authorities, certificate: field("tls.crt")?, key: field("tls.key")? })
}

fn certificate_error(error: impl std::fmt::Display) -> CredentialsError {
    CredentialsError::Certificate(error.to_string())
}

/// A key is not shown.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Credentials")
    }
}
