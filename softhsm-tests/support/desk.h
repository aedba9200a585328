#pragma once

#include <string>
#include <vector>

#include "softhsm-tests/support/pki.h"
#include "softhsm-tests/support/process.h"
#include "softhsm-tests/support/softhsm.h"
#include "softhsm-tests/support/temporary_directory.h"

namespace p11mime::test {

/// Desk is what a person works with: a home directory with nothing in it, a SoftHSM token of their own, the program and
/// its peers. Everything is under one temporary directory.
class Desk {
  public:
    /// The token's label is "Desk", its PIN kUserPin.
    Desk();

    /// put writes a private key and its certificate to the token, both labelled with the identity's name.
    void put(const Identity& identity, const std::string& id);
    /// put_certificate writes a certificate alone.
    void put_certificate(const Identity& identity, const std::string& id);

    /// add_token puts another token on the desk.
    void add_token(const std::string& label, std::string_view pin = kUserPin) const;

    /// restrict limits the mechanisms that the token offers from now on, as SoftHsm takes them.
    void restrict(std::string_view mechanisms) const;

    /// p11mime runs the program: command first. Commands that use tokens get --module and --pin-source with the right
    /// PIN in front of the other options, unless these have a --module of their own.
    Outcome p11mime(const std::vector<std::string>& arguments, const std::string& input = {}) const;
    Command p11mime_command(const std::vector<std::string>& arguments) const;

    /// run runs another program in the desk's environment.
    Outcome run(const std::vector<std::string>& arguments, const std::string& input = {}) const;

    /// file writes a file into the desk's directory and returns its path; path only names one.
    std::string file(const std::string& name, std::string_view content) const;
    std::string path(const std::string& name) const { return directory_ / name; }

    std::map<std::string, std::string> environment;  ///< of every program that is run
    std::vector<std::string> launcher;               ///< what every program is run by, such as nsenter; mostly nothing
    std::string module;                              ///< that p11mime is told to use; "" for those that are configured

  private:
    std::string configure(std::string_view mechanisms) const;

    TemporaryDirectory directory_;
};

/// done throws std::runtime_error, with what the program said, unless it ended with status 0; else returns its output.
std::string done(const Outcome& outcome);

}  // namespace p11mime::test
