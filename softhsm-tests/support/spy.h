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

/// spy_environment has pkcs11-spy stand in front of the desk's module where a program loads SoftHsm::spy_module(), or
/// the module that PKCS11_MODULE_PATH names. spy_log is what it has written since forget_spy_log;
/// std::runtime_error where it was not loaded.
std::map<std::string, std::string> spy_environment(const Desk& desk);
SpyLog spy_log(const Desk& desk);
void forget_spy_log(const Desk& desk);

/// Spied is how a program ended, and what it asked of the token.
struct Spied {
    Outcome outcome;
    SpyLog log;
};

/// spied runs a program in the desk's environment and that of the spy.
Spied spied(const Desk& desk, Command command);

/// spied_p11mime runs p11mime so: command first, and --pin-source among the arguments.
Spied spied_p11mime(const Desk& desk, const std::vector<std::string>& arguments, const std::string& input = {});

}  // namespace p11mime::test
