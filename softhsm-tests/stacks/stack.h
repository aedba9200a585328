#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "softhsm-tests/support/office.h"

namespace p11mime::test {

/// Unavailable says why a stack cannot be started here: a package or a right is missing.
struct Unavailable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// need_file and need_root throw Unavailable.
void need_file(const std::string& path, const std::string& package);
void need_root(const std::string& what_for);

/// Lacks is what a kind of token or its tools cannot do whatever program asks: why not, or "" where they can.
struct Lacks {
    std::string always_authenticate;  ///< to make a key that asks for the PIN at each use
    std::string removal;              ///< to take the token away
};

/// Stack is a token, and all that lies between it and a program: a module, daemons, their environment. It is started
/// and stopped by itself, in directories and namespaces of its own. The office's desk runs programs on it: p11mime uses
/// its module, its token has the PIN that DESK_PIN holds.
class Stack {
  public:
    virtual ~Stack() = default;
    Stack(const Stack&) = delete;
    Stack& operator=(const Stack&) = delete;

    const std::string& token() const { return token_; }  ///< the token's label
    const std::string& pin() const { return pin_; }
    std::string token_uri() const;  ///< RFC 7512
    const Lacks& lacks() const { return lacks_; }

    /// employ puts a key and a certificate of the office's PKI for it on the token, once for each name. Their files are
    /// those of Office::correspond, but for the key's where it was made on the token. Throws std::runtime_error.
    const Identity& employ(const Leaf& leaf);
    /// employ_always_authenticate does so with a key that asks for the PIN at each use.
    const Identity& employ_always_authenticate(const Leaf& leaf);
    /// remove takes the token away.
    virtual void remove();

    Office office;

  protected:
    Stack(std::string token, std::string pin, Lacks lacks);

    virtual Identity put(const Leaf& leaf) = 0;
    virtual Identity put_always_authenticate(const Leaf& leaf);

    /// tool runs pkcs11-tool on the token, logged in.
    std::string tool(const std::vector<std::string>& options) const;
    /// import puts a key from software, and its certificate, on the token with pkcs11-tool.
    Identity import(const Leaf& leaf);
    /// generate has pkcs11-tool make a key on the token, with more of its options, and certifies it.
    Identity generate(const Leaf& leaf, const std::vector<std::string>& further = {});

    std::string tool_module;  ///< the module that pkcs11-tool uses, where it is not p11mime's

  private:
    std::string next_id();
    void put_certificate(const Identity& identity, const std::string& id) const;

    std::string token_;
    std::string pin_;
    Lacks lacks_;
    std::map<std::string, Identity> employed_;  // by name
    int last_id_ = 0;
};

/// The stacks, each in its own file. They throw Unavailable, and std::runtime_error where one does not start.
std::unique_ptr<Stack> start_softhsm();
std::unique_ptr<Stack> start_nss();

}  // namespace p11mime::test
