#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "softhsm-tests/support/temporary_directory.h"

namespace p11mime::test {

/// kUserPin and kSoPin are the PINs of the tokens that SoftHsm makes unless told otherwise.
inline constexpr std::string_view kUserPin = "123456";
inline constexpr std::string_view kSoPin = "87654321";

/// SoftHsm is a SoftHSM of a test's own: its tokens live in a private directory, and SOFTHSM2_CONF names it, for this
/// process and those it starts, as long as this lives. One at a time in a process. Failures throw std::runtime_error.
class SoftHsm {
  public:
    /// `mechanisms` limits what the tokens offer (slots.mechanisms), to imitate poor cards: "ALL", "CKM_RSA_PKCS,…", or
    /// with a leading "-" all but those named.
    explicit SoftHsm(std::string_view mechanisms = "ALL");
    ~SoftHsm();
    SoftHsm(const SoftHsm&) = delete;
    SoftHsm& operator=(const SoftHsm&) = delete;

    /// module is the path of the PKCS#11 module; spy_module that of pkcs11-spy, which logs each call when loaded in
    /// its place (PKCS11SPY names the module below, PKCS11SPY_OUTPUT the log).
    static std::string module();
    static std::string spy_module();

    const std::filesystem::path& directory() const { return directory_.path(); }
    std::string configuration() const;  ///< the file that SOFTHSM2_CONF names

    /// restrict rewrites the configuration with other mechanisms, for modules initialised from now on.
    void restrict(std::string_view mechanisms) const;

    /// add_token initialises a token with softhsm2-util.
    void add_token(const std::string& label, std::string_view pin = kUserPin) const;

    /// import_key puts a private key (a file with unencrypted PKCS#8 in PEM) on a token, for signing and for decryption
    /// or key agreement; import_public_key its public half (a file with a SubjectPublicKeyInfo in PEM).
    void import_key(const std::string& token, const std::string& pem_file, const std::string& label,
                    const std::string& id_hex, std::string_view pin = kUserPin) const;
    void import_public_key(const std::string& token, const std::string& pem_file, const std::string& label,
                           const std::string& id_hex, std::string_view pin = kUserPin) const;

    /// import_certificate puts a certificate (a file in DER) on a token with pkcs11-tool.
    void import_certificate(const std::string& token, const std::string& der_file, const std::string& label,
                            const std::string& id_hex, std::string_view pin = kUserPin) const;

    /// generate makes a key pair with pkcs11-tool: `kind` as its --key-type takes it ("rsa:2048", "EC:prime256v1",
    /// "EC:edwards25519"). `further` are more of its options, such as "--always-auth".
    void generate(const std::string& token, const std::string& kind, const std::string& label,
                  const std::string& id_hex, const std::vector<std::string>& further = {},
                  std::string_view pin = kUserPin) const;

    /// tool runs pkcs11-tool on a token, logged in, and returns its standard output.
    std::string tool(const std::string& token, const std::vector<std::string>& options,
                     std::string_view pin = kUserPin) const;

  private:
    TemporaryDirectory directory_;
};

/// key_import is the command that SoftHsm::import_key runs.
std::vector<std::string> key_import(const std::string& token, const std::string& pem_file, const std::string& label,
                                    const std::string& id_hex, std::string_view pin = kUserPin);

}  // namespace p11mime::test
