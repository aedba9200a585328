#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "softhsm-tests/support/office.h"

namespace p11mime::test {

/// Unavailable says why a stack cannot be started here: a package or a right is missing.
struct Unavailable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// need_file and need_namespaces throw Unavailable where a package is not installed or unshare is not allowed.
void need_file(const std::string& path, const std::string& package);
void need_namespaces(const std::vector<std::string>& kinds);

/// escaped is a text as an attribute of an RFC 7512 URI.
std::string escaped(const std::string& text);

/// Stack is a token, and all that lies between it and a program: a module, daemons, their environment. It is started
/// and stopped by itself, in directories and namespaces of its own. The office's desk runs programs on it: p11mime uses
/// its module, and the token has the PIN that DESK_PIN holds.
class Stack {
  public:
    /// Traits is what kind of token it is. What it or its tools cannot do, whatever program asks, has its reason here.
    struct Traits {
        std::string token;  ///< the label
        std::string pin;
        std::string
            no_always_authenticate;  ///< why there are no keys that ask for the PIN at each use; "" where there are
        std::string no_removal;      ///< why it cannot be taken away; "" where it can
        bool no_ec_keys = false;
    };

    virtual ~Stack() = default;
    Stack(const Stack&) = delete;
    Stack& operator=(const Stack&) = delete;

    const Traits& traits() const { return traits_; }
    const std::string& token() const { return traits_.token; }
    const std::string& pin() const { return traits_.pin; }
    std::string token_uri() const;  ///< RFC 7512

    /// employ puts a key and a certificate of the office's PKI for it on the token, once for each name. Their files are
    /// those of Office::correspond, but for the key's where it was made on the token. Throws std::runtime_error.
    const Identity& employ(const Leaf& leaf);
    /// employ_always_authenticate does so with a key that asks for the PIN at each use.
    const Identity& employ_always_authenticate(const Leaf& leaf);
    /// key_label is the label that the key of such an identity, an RSA one, has on the token.
    virtual std::string key_label(const Leaf& leaf) const { return leaf.name; }
    /// puk is what unblocks the PIN, the security officer's PIN of most.
    virtual std::string puk() const { return std::string(kSoPin); }
    /// need_puk brings the token where a PUK is of use: a card's PIN is locked, and a TPM, whose lock is no PIN's, is
    /// not.
    virtual void need_puk() {}
    /// remove takes the token away.
    virtual void remove();

    Office office;

  protected:
    explicit Stack(Traits traits);

    virtual Identity put(const Leaf& leaf) = 0;
    virtual Identity put_always_authenticate(const Leaf& leaf) { return generate(leaf, {"--always-auth"}); }

    /// initialise gives a new token its label and PIN with pkcs11-tool.
    void initialise() const;
    /// tool runs pkcs11-tool on the token, logged in; tool_says runs it on the module and returns whatever it says.
    std::string tool(const std::vector<std::string>& options) const;
    std::string tool_says(const std::vector<std::string>& options) const;
    /// import puts a key from software, and its certificate, on the token with pkcs11-tool; with both halves, anybody
    /// sees that the token has the key.
    enum class Half { private_one, both };
    Identity import(const Leaf& leaf, Half half = Half::private_one);
    /// generate has pkcs11-tool make a key on the token, with more of its options, and certifies it.
    Identity generate(const Leaf& leaf, const std::vector<std::string>& further = {});

    std::string tool_module;  ///< the module that pkcs11-tool uses, where it is not p11mime's

  private:
    Arguments tool_command() const;
    std::string next_id();
    void put_certificate(const Identity& identity, const std::string& id) const;

    Traits traits_;
    std::map<std::string, Identity> employed_;  // by name
    int last_id_ = 0;
};

/// The stacks, each in its own file. They throw Unavailable, and std::runtime_error where one does not start.
std::unique_ptr<Stack> start_softhsm();
std::unique_ptr<Stack> start_poor_softhsm();  ///< with few mechanisms, as cards have
std::unique_ptr<Stack> start_piv_opensc();    ///< a PIV card
std::unique_ptr<Stack> start_piv_ykcs11();    ///< the same card through Yubico's module
std::unique_ptr<Stack> start_tpm();
std::unique_ptr<Stack> start_nss();
std::unique_ptr<Stack> start_opencryptoki();
std::unique_ptr<Stack> start_remote();      ///< a token over p11-kit
std::unique_ptr<Stack> start_proxy();       ///< several at once through p11-kit-proxy.so
std::unique_ptr<Stack> start_configured();  ///< the same without --module: those that p11-kit has configured

}  // namespace p11mime::test
