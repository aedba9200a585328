#pragma once

#include <map>
#include <string>
#include <vector>

#include "softhsm-tests/support/desk.h"

namespace p11mime::test {

/// SpyLog is the calls that pkcs11-spy has written down.
class SpyLog {
  public:
    explicit SpyLog(const std::string& text);

    /// calls counts the calls of a function ("C_Login"), or all of them.
    int calls(const std::string& function = {}) const;
    /// sequence is the name of each call, in order.
    const std::vector<std::string>& sequence() const { return sequence_; }
    /// certificate_reads says how often each object's CKA_VALUE was asked for, by its handle.
    const std::map<std::string, int>& certificate_reads() const { return certificate_reads_; }

  private:
    std::vector<std::string> sequence_;
    std::map<std::string, int> certificate_reads_;
};

/// Spied is how a program ended, and what it asked of the token.
struct Spied {
    Outcome outcome;
    SpyLog log;
};

/// spied runs a program in the desk's environment; where it loads SoftHsm::spy_module(), or the module that
/// PKCS11_MODULE_PATH names, pkcs11-spy stands in front of the desk's module.
Spied spied(const Desk& desk, Command command);

/// spied_p11mime runs p11mime so: command first, and --pin-source among the arguments.
Spied spied_p11mime(const Desk& desk, const std::vector<std::string>& arguments, const std::string& input = {});

}  // namespace p11mime::test
