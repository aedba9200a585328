#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cms/certificate_request.h"
#include "cms/decrypter.h"
#include "cms/signer.h"
#include "cms/sources.h"
#include "mime/error.h"
#include "token/pin.h"
#include "token/uri.h"

namespace p11mime::token {

class Turns;

enum class KeyType { rsa, ec, edwards, montgomery, other };

/// KeySpec is a kind of key to generate.
enum class KeySpec {
    rsa2048,
    rsa3072,
    rsa4096,
    p256,
    p384,
    p521,
    brainpool256,
    brainpool384,
    brainpool512,
    ed25519,
    ed448,
    x25519,
    x448,
};

/// key_spec finds a kind of key by its name: "rsa2048", "p256", "brainpool256" (brainpoolP256r1), "ed25519", …
std::optional<KeySpec> key_spec(std::string_view name);

/// allows says whether a kind of key can be used as a profile wants it.
bool allows(KeySpec spec, cms::Profile profile);

/// can_sign says whether a kind of key can sign, a request for its certificate among others.
bool can_sign(KeySpec spec);

/// key_spec_names are all of them.
std::vector<std::string_view> key_spec_names();

/// KeyObject is a private key on a token as far as it can be seen.
struct KeyObject {
    std::string label;
    Bytes id;  ///< CKA_ID
    KeyType type = KeyType::other;
    std::string description;  ///< "RSA-2048", "P-256", "Ed25519", … from the public attributes
    bool can_sign = false, can_decrypt = false, can_derive = false;
    bool always_authenticate = false;
    std::string uri;  ///< RFC 7512
};

/// CertificateObject is a certificate on a token.
struct CertificateObject {
    std::string label;
    Bytes id;
    std::optional<cms::Certificate> certificate;  ///< nothing where its value could not be parsed
    std::string uri;
};

/// Belongings is what else there is of a private key on its token: its certificates, by its public half, or by its id
/// where the token does not tell that.
struct Belongings {
    std::vector<CertificateObject> certificates;
    std::vector<std::string> others;  ///< labels of other private keys with its id, which are not concerned
};

/// CertificateQuery narrows a search for certificates; what is not set matches all.
struct CertificateQuery {
    std::optional<Bytes> id;           ///< CKA_ID
    std::optional<std::string> label;  ///< CKA_LABEL
    Bytes subject_der;                 ///< DER Name
    Bytes issuer_der, serial_der;      ///< DER Name and INTEGER; both or none
};

/// Method is one thing that mail asks of a private key, and how its token does it.
struct Method {
    enum class Way {
        none,
        native,   ///< with a mechanism for it
        raw,      ///< with raw RSA; the padding is made or removed here
        untried,  ///< there is a mechanism; whether it takes these parameters shows after a login
    };
    std::string name;  ///< "RSA-PSS signature", "OAEP with sha256", "ECDH", …
    bool signs = false;
    Way way = Way::none;
};

/// KeyImport is an existing key pair to put on a token.
struct KeyImport {
    const EVP_PKEY* key;
    std::string label;
    Bytes id;                                    ///< CKA_ID
    std::vector<cms::Certificate> certificates;  ///< for this key, the newest first
};

/// ImportedKey is a key that was put on a token, with its certificates.
struct ImportedKey {
    KeyObject key;
    std::vector<cms::Certificate> certificates;  ///< the newest first
};

/// Token is one token in a slot. Login happens at most once, when an operation first needs it; a refused PIN is
/// remembered as refused and never sent again. Copies of the shared pointer share the login. Everything throws
/// Error(token).
class Token {
  public:
    virtual ~Token() = default;
    virtual const TokenInfo& info() const = 0;
    virtual Uri uri() const = 0;

    virtual std::vector<CertificateObject> certificates() = 0;  ///< all of them; no login
    /// find_certificates reads only what a search by template gives; no login.
    virtual std::vector<CertificateObject> find_certificates(const CertificateQuery& query) = 0;
    /// find_few_certificates does so where no more than `most` have to be read that were not before; else it reads none
    /// and returns nothing. A card takes long over each.
    virtual std::optional<std::vector<CertificateObject>> find_few_certificates(const CertificateQuery& query,
                                                                                std::size_t most) = 0;
    /// has_private_key says whether the certificate's private key is on this token too; logs in.
    virtual bool has_private_key(const CertificateObject& certificate, const std::string& what) = 0;
    virtual std::vector<KeyObject> private_keys(bool may_login) = 0;  ///< without login only what is visible
    virtual void login(const std::string& what) = 0;  ///< does nothing where already logged in or none is required

    virtual std::unique_ptr<cms::Signer> signer(
        const CertificateObject& certificate) = 0;  ///< logs in; Error(token) if the private key is missing
    virtual std::unique_ptr<cms::Decrypter> decrypter(const CertificateObject& certificate) = 0;

    /// abilities is what the private key of a public key (DER SubjectPublicKeyInfo) on this token can undo; no login,
    /// but what only a token that is logged in tells is taken for not so before.
    virtual cms::Abilities abilities(ByteView spki) = 0;

    /// methods is all that mail may ask of the private key of a public key (DER SubjectPublicKeyInfo); no login.
    virtual std::vector<Method> methods(ByteView spki) = 0;

    /// generate makes a key pair; `id` is random where empty. A key to sign with neither decrypts nor agrees; one to
    /// encrypt to can sign, because requests for its certificates have to be.
    virtual KeyObject generate(KeySpec spec, const std::string& label, Bytes id,
                               cms::Profile profile = cms::Profile::both) = 0;
    virtual Bytes public_key_spki(
        const KeyObject& key) = 0;  ///< DER, from the public key object or the private key's public attributes
    /// raw_signer signs with a key that has no certificate yet (certificate requests); its certificate() must not be
    /// called.
    virtual std::unique_ptr<cms::Signer> raw_signer(const KeyObject& key) = 0;
    /// import_keys puts key pairs and their certificates on the token, all or none, and returns them in this order.
    /// Throws Error(token), also where a key is there already.
    virtual std::vector<ImportedKey> import_keys(std::span<const KeyImport> keys) = 0;
    virtual void import_certificate(const cms::Certificate& certificate, const std::string& label, const Bytes& id) = 0;
    /// belongings is what goes with a private key, and what stays beside it; logs in.
    virtual Belongings belongings(const KeyObject& key) = 0;
    /// destroy deletes a private key and then what goes with it, and returns how many objects. A token that refuses the
    /// first keeps all.
    virtual std::size_t destroy(const KeyObject& key) = 0;
    virtual void change_pin() = 0;  ///< the PIN provider gives the old and the new one: C_SetPIN
    virtual void unblock() = 0;     ///< the PIN provider gives the PUK and the new PIN: C_InitPIN, or C_SetPIN
};

/// OtherCertificates are certificates that are on no token, whose private keys may be all the same: those of retired
/// keys and of old cards.
struct OtherCertificates {
    std::shared_ptr<cms::CertificateSource> own;    ///< one's own: a token that may have the key is worth a login
    std::shared_ptr<cms::CertificateSource> known;  ///< of whoever: only one that shows a connection is
    bool typed = false;  ///< PINs are typed, so that several tokens may be asked on the mere chance
};

/// KeyQuery says which private keys are wanted: those that a URI names, or that of a certificate. One of both is set.
struct KeyQuery {
    const Uri* uri = nullptr;
    const cms::Certificate* certificate = nullptr;
};

/// KeyOnToken is a private key, and its token.
struct KeyOnToken {
    std::shared_ptr<Token> token;
    KeyObject key;
};

/// TokensOptions narrows what is looked at.
struct TokensOptions {
    std::vector<std::string> modules;  ///< as ModuleFile::parse takes them; empty: those that p11-kit has configured
    std::optional<Uri> token;          ///< only matching tokens
    OtherCertificates others{};        ///< for find(); `typed` for find_keys() too
    std::shared_ptr<Turns> turns{};    ///< that all modules share; null for the threads of this process alone
};

/// SlotState is one slot for listings, with or without a token.
struct SlotState {
    std::string module;
    unsigned long slot_id = 0;
    std::string description;
    bool removable = false;          ///< tokens come and go
    std::optional<TokenInfo> token;  ///< initialised or not, matching or not
};

/// WrongSignature is the Error(token) for a signature that the public key does not verify: the key is of another pair,
/// or the module is broken.
class WrongSignature : public Error {
  public:
    WrongSignature(const std::string& message, std::string hint) : Error(ErrorKind::token, message, std::move(hint)) {}
};

/// LostToken is a token that was found and has gone since, or was pulled meanwhile so that its sessions are dead.
struct LostToken {
    TokenInfo token;
    Error why;  ///< Error(token): pulled, replaced by another, its reader unplugged, pcscd gone
};

/// same_token says whether two are one token, which may have moved to another slot: module, serial number and label.
bool same_token(const TokenInfo& a, const TokenInfo& b);

/// Tokens is every module and token at hand; modules are loaded at first use and finalised on the way out. Also the
/// DecrypterSource over all tokens. Safe for several threads, but for skipped(), which is of whoever called find()
/// last.
class Tokens : public cms::DecrypterSource {
  public:
    /// open never throws for one bad module among several p11-kit ones (warnings() names it), but for every --module
    /// that does not load.
    static std::unique_ptr<Tokens> open(TokensOptions options, PinProvider& pins);

    virtual std::vector<std::shared_ptr<Token>> tokens() = 0;  ///< present, initialised and matching
    /// find_keys looks for private keys, first without a login on all tokens; it logs in to those alone that show the
    /// key, its public half or, failing these, a certificate for it. Where none does or has it, those are asked that
    /// show their keys after a login only, one after the other until one has it. Where none shows the key or its public
    /// half, several are asked only if PINs are typed, else Error(usage) lists them. Throws the Error(token) of a token
    /// only where no other has the key.
    virtual std::vector<KeyOnToken> find_keys(const KeyQuery& query) = 0;
    /// why_not_ask says why a token is not to be logged in to for the private key of a certificate on it. Where PINs
    /// are typed it always may be. A stored PIN goes to a token that shows the key or its public half, or that is the
    /// only one that may hide it: Error(token) where another shows it, Error(usage), which lists them, where several
    /// may hide it. `among` narrows these to the tokens that a URI fits; null for all.
    virtual std::optional<Error> why_not_ask(const Token& token, const cms::Certificate& certificate,
                                             const Uri* among) = 0;
    virtual std::vector<SlotState> slots() = 0;
    virtual std::vector<std::string> modules() = 0;  ///< the files of those that are loaded
    virtual std::vector<std::string> warnings() const = 0;

    /// lost looks at the tokens found so far, where the use of some failed only at these; no login, no fresh search.
    /// The PIN provider is told of each.
    virtual std::vector<LostToken> lost() = 0;
    /// refresh drops all tokens, so that those given out before fail, unloads the modules and finds everything afresh
    /// at the next call: the only way back to a token that was pulled. No operation may be under way.
    virtual void refresh() = 0;
};

/// ChosenKey is the outcome of looking for one's own certificate.
struct ChosenKey {
    std::shared_ptr<Token> token;
    CertificateObject certificate;
    std::size_t alternatives = 0;  ///< how many others would have fitted too
};

/// KeyChoice says which certificate is wanted: one that carries an address, is valid at a time and allows the use; or
/// the one a URI names.
struct KeyChoice {
    std::string address;  ///< "" where a URI is given
    const Uri* uri = nullptr;
    cms::Time at{};
    enum class Use { signing, encryption } use = Use::signing;
    std::string what = "sign";  ///< the Intent, for the PIN prompt of a login
};

/// choose_key picks the newest-issued certificate that fits and whose private key is on the same token (for encryption
/// the private key is not needed). `passed_over` gets one line for each certificate seen that did not fit and why.
/// Nothing where none fits. Throws Error(usage) where a stored PIN may be for another token, as Tokens::why_not_ask
/// says.
struct KeyChoiceResult {
    std::optional<ChosenKey> key;
    std::vector<std::string> passed_over;
};
KeyChoiceResult choose_key(Tokens& tokens, const KeyChoice& choice);

/// open_email_anchors reads the roots that Mozilla trusts for e-mail, and those that it distrusts, out of
/// libnssckbi.so, as the PKCS#11 module that it is (CKA_TRUST_EMAIL_PROTECTION), looking each up by subject; what is
/// said against one is among its trust settings. `module`: its file; "" looks in the usual places. Null where it is not
/// installed.
std::shared_ptr<cms::CertificateSource> open_email_anchors(const std::string& module);

}  // namespace p11mime::token
