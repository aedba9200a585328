#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cms/memory_certificates.h"
#include "cms/smime/encrypt.h"
#include "cms/smime/read.h"
#include "cms/trust.h"
#include "mime/error.h"
#include "softhsm-tests/support/mail.h"
#include "softhsm-tests/support/process.h"
#include "softhsm-tests/support/software_key.h"
#include "softhsm-tests/support/temporary_directory.h"

namespace p11mime::test {

/// run passes an input through a job until the output is good, in pieces of `piece_size` bytes (0: all at once), and
/// returns the output. More than 20 passes throw std::runtime_error.
std::string run(cms::Job& job, std::string_view input, std::size_t piece_size = 0);

/// ReadMail is a mail that was read.
struct ReadMail {
    cms::smime::Report report;
    std::string content;

    /// used is the key management of the recipient whose key opened the outermost layer, "none" where it was no one's.
    std::string used() const;
    /// signer is the only signer of the only layer; std::runtime_error where there is not exactly one of each.
    const cms::smime::SignerVerdict& signer() const;
};

/// read_mail reads a mail with keys and trust, each of which may be null.
ReadMail read_mail(std::string_view mail, cms::DecrypterSource* keys, const cms::Trust* trust,
                   cms::smime::ReadOptions options);

/// TextInput is an input in memory.
class TextInput final : public Input {
  public:
    explicit TextInput(std::string text) : text_(std::move(text)) {}
    std::unique_ptr<Source> open() const override { return std::make_unique<ViewSource>(bytes_of(text_)); }

  private:
    std::string text_;
};

/// trust_in trusts anchors for now; `intermediates` are known besides.
cms::Trust trust_in(std::vector<cms::Certificate> anchors, std::vector<cms::Certificate> intermediates = {});

/// CmsBench is a PKI in memory, what trusts it, and openssl as the peer, with files in a temporary directory.
class CmsBench {
  public:
    SoftwareKey issue(const CertificateSpec& spec = {}) const { return certify(spec, &intermediate); }
    /// bob is a recipient with a key of a kind.
    SoftwareKey bob(KeyKind kind = KeyKind::p256) const;

    cms::Trust trust() const { return trust_in({root.certificate}, {intermediate.certificate}); }

    /// sign makes a mail signed by us.
    std::string sign(const std::vector<SoftwareKey>& signers, std::string_view mail,
                     const cms::smime::SignOptions& options = {}) const;
    /// encrypt makes a mail encrypted by us.
    std::string encrypt(const std::vector<cms::smime::Recipient>& recipients, std::string_view mail,
                        const cms::smime::EncryptOptions& options = {}) const;

    /// verify, decrypt, open and inspect read a mail.
    ReadMail verify(std::string_view mail, cms::smime::ReadOptions options = {}) const;
    ReadMail verify(std::string_view mail, const cms::Trust& trust, cms::smime::ReadOptions options = {}) const;
    ReadMail decrypt(std::string_view mail, const std::vector<SoftwareKey>& keys,
                     const cms::GivenSecrets& secrets = {}) const;
    ReadMail open(std::string_view mail, const std::vector<SoftwareKey>& keys,
                  const cms::GivenSecrets& secrets = {}) const;
    ReadMail inspect(std::string_view mail) const;

    /// openssl runs the command and returns its output. A failure throws std::runtime_error with what it said.
    std::string openssl(const std::vector<std::string>& arguments, std::string_view input = {}) const;
    Outcome try_openssl(const std::vector<std::string>& arguments, std::string_view input = {}) const;

    /// file writes a file and returns its path; key_file and certificate_file are in PEM.
    std::string file(std::string_view content) const;
    std::string key_file(const SoftwareKey& key) const { return file(key.key_pem()); }
    std::string certificate_file(const SoftwareKey& key) const { return file(key.certificate.pem()); }
    /// signer_options are openssl's options for a signer.
    std::vector<std::string> signer_options(const SoftwareKey& key) const;
    /// trusted_file is the root and the intermediate.
    std::string trusted_file() const;

    SoftwareKey root = certify(authority_spec("Test Root"));
    SoftwareKey intermediate = certify(authority_spec("Test Intermediate"), &root);

  private:
    TemporaryDirectory directory_;
    mutable int files_ = 0;
};

/// enveloped is EnvelopedData, or AuthEnvelopedData where the cipher authenticates, in DER, with the RecipientInfos
/// that `infos_of` makes of its content key.
std::string enveloped(std::string_view content, std::string_view cipher,
                      const std::function<std::vector<Bytes>(const SecretBytes& key)>& infos_of);

/// caught is the Error that an action throws; std::runtime_error where it throws none.
Error caught(const std::function<void()>& action);

}  // namespace p11mime::test
