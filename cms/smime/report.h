#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cms/algorithms.h"
#include "cms/certificate.h"
#include "cms/certificate_class.h"
#include "cms/signer_info.h"
#include "cms/timestamp.h"
#include "cms/trust.h"

namespace p11mime::cms::smime {

/// The values of a report, whose contract is docs/json.md. What is not checked says not_checked.
using cms::Integrity;
enum class ChainState { trusted, untrusted, not_checked };
enum class Revocation { good, revoked, unknown, not_checked };
enum class SenderState { match, mismatch, absent, not_checked };
enum class Strength { ok, weak };

std::string_view name(Integrity value);
std::string_view name(ChainState value);
std::string_view name(Revocation value);
std::string_view name(SenderState value);
std::string_view name(Strength value);

/// strength_of is how far a row of the table is relied on.
Strength strength_of(const Algorithm& algorithm);

/// SignerVerdict is what holds of one SignerInfo.
struct SignerVerdict {
    std::optional<Certificate> certificate;  ///< nothing where it is missing
    std::string identifier;                  ///< as the SignerInfo names it, for people
    Integrity integrity = Integrity::not_checked;
    std::optional<std::string> integrity_reason;
    ChainState chain = ChainState::not_checked;
    std::optional<std::string> chain_reason;
    std::string chain_hint;                  ///< what could be done about it; may be empty
    std::vector<Certificate> chain_certs;    ///< as far as the chain was built, the root last
    bool chain_anchored = false;             ///< the last of them is an anchor
    std::optional<std::size_t> chain_fault;  ///< which of them the reason is about, where there is one
    std::vector<Certificate> intermediates;  ///< of a trusted chain, without the root
    bool off_purpose = false;                ///< the chain is trusted though it is not meant for e-mail
    Revocation revocation = Revocation::not_checked;
    std::optional<std::string> revocation_reason;
    std::vector<RevokedSince> revoked_since;  ///< after the time judged at, as of PathVerdict
    SenderState sender = SenderState::not_checked;
    Strength strength = Strength::ok;
    std::string digest;     ///< name in the algorithm table, or the dotted OID
    std::string signature;  ///< likewise
    std::string time_basis = "now";
    std::optional<Time> time_at;  ///< judged at; nothing where nothing was judged
    std::optional<Time> signing_time;
    bool claims_later = false;  ///< that or the mail's date is after the time that was given to judge it at
    std::optional<Certificate>
        encryption_certificate;  ///< that the signer prefers (SMIMEEncryptionKeyPreference), if it came along
    Ess ess;                     ///< what the signer's attributes say, and claim as long as integrity is not valid
    std::vector<std::string> signed_attributes;    ///< the kinds of attributes that are there
    std::vector<std::string> unsigned_attributes;  ///< likewise
    std::vector<SignerVerdict> countersignatures;  ///< over this signature; they add nothing to the result
    std::vector<TimestampVerdict> timestamps;      ///< of this signature
    std::optional<Bytes> capabilities;             ///< DER of the SMIMECapabilities attribute
    /// What kind of certificate it is; nothing where it is missing. It is no reason to trust it.
    std::optional<CertificateClass> certificate_class;
};

/// Carried counts what a SignedData carries beside its content and signers.
struct Carried {
    std::size_t certificates = 0;
    std::size_t other_certificates = 0;  ///< other forms, and those that cannot be parsed
    std::size_t crls = 0;
    std::size_t other_revocation_infos = 0;
};

/// OwnKey is a private key at hand that a mail was opened with.
struct OwnKey {
    std::string name;                        ///< for people: the key's label and its token
    std::optional<Certificate> certificate;  ///< nothing where the key is known by its id only
    std::optional<PathVerdict> path;         ///< of that certificate, where somebody has looked for it
};

struct RecipientSummary {
    std::string identifier;
    std::string key_management;  ///< rsa-pkcs1, rsa-oaep, ecdh, xdh, kek, password, other, or the dotted OID
    bool used = false;
    std::optional<OwnKey> key{};  ///< that was used, where it is a private key
};

enum class LayerType {
    signed_data,
    enveloped,
    auth_enveloped,
    encrypted,
    authenticated,
    digested,
    compressed,
    certs_only
};
std::string_view name(LayerType type);
bool is_encrypted(LayerType type);

inline constexpr std::size_t kMaxLayers = 1'000;  ///< in one mail, all parts together

/// Layer is one CMS layer of a mail.
struct Layer {
    std::string path;                   ///< part number, "1" for the whole mail
    std::optional<std::string> parent;  ///< path of the layer around it
    LayerType type{};
    bool covers_whole = true;
    bool is_detached = false;  ///< what is signed is not in the input (inspect)
    std::vector<std::pair<std::uint64_t, std::uint64_t>>
        byte_ranges;  ///< begin, end: in the input for the outermost layer, in the
                      ///< parent's content for others; empty where unknown
    std::string media_type;
    std::optional<std::string> cipher;
    std::optional<std::string> algorithm;    ///< authentication code, digest or compression of such layers
    std::optional<bool> authenticated;       ///< the content was authenticated with the key; nothing: not looked at
    std::optional<Strength> strength;        ///< of cipher, code or digest; nothing where it is not supported
    std::optional<std::string> weak_cipher;  ///< that is, of the content or of a key of it
    bool failed = false;  ///< the content does not decrypt, or was changed: nothing is told of what is inside
    std::vector<RecipientSummary> recipients;
    std::vector<SignerVerdict> signers;
    std::optional<Carried> carried;  ///< of signed layers
    std::optional<std::vector<std::string>>
        protected_headers;  ///< header fields of the mail inside, in lower case; nothing where that was not seen
};

struct Warning {
    std::string kind;
    std::string message;
    bool operator==(const Warning&) const = default;
};

enum class Result { valid, untrusted, invalid, unsigned_, decrypted, error };
std::string_view name(Result result);

/// OpenPgp is what a mail claims to be in OpenPGP's form. Nothing of that is looked at.
struct OpenPgp {
    std::string path;  ///< number of the part
    bool whole = false;
    std::string protection;  ///< "signed" or "encrypted"
};

/// Report is everything that reading a mail has found out.
struct Report {
    std::vector<std::string> from;
    std::optional<std::string> subject;
    std::optional<std::string> date;
    std::vector<Layer> layers;  ///< outermost first
    std::vector<Warning> warnings;
    std::vector<std::string> confidential_headers;  ///< of the mail, in lower case: nobody could read them on the way
    std::optional<OpenPgp> openpgp;                 ///< the first part of the mail that is
    bool signatures_looked_for = true;              ///< false where only encrypted layers were taken off
    Result result = Result::unsigned_;
    std::string reason;  ///< one line for people: why it is not valid; empty where it is
    std::string hint;    ///< what could be done; may be empty

    /// exit_status is 0, 1 or 3, from the result.
    int exit_status() const;
};

/// signs_text says whether a layer of a report signs the text of the whole mail, signs_ciphertext whether it signs the
/// encrypted form of that: who does so need not know the text.
bool signs_text(const Report& report, const Layer& layer);
bool signs_ciphertext(const Report& report, const Layer& layer);
/// protected_by_signature says of an encrypted layer whether a signature over the text of the whole mail, which lies
/// inside and verifies, shows that its content was not changed.
bool protected_by_signature(const Report& report, const Layer& layer);

}  // namespace p11mime::cms::smime
