#pragma once

#include <optional>
#include <string>

#include "softhsm-tests/support/desk.h"
#include "softhsm-tests/support/process.h"

namespace p11mime::test {

/// kPuk unblocks the PIN of a PivCard, which is kUserPin.
inline constexpr std::string_view kPuk = "12345678";

/// PivCard is a PIV card that is not in a reader at first, as CardReaders has it.
class PivCard {
  public:
    /// put and put_certificate are what personalises it: a key reference ("9a", "9c", "9d", "9e", "82" to "95") and
    /// what it gets. It counts from the next insertion on, as does another serial number (in hexadecimal).
    void put(const std::string& reference, const Identity& identity);
    void put_certificate(const std::string& reference, const Identity& identity);
    void set_serial(const std::string& hex) { serial_ = hex; }

    /// insert and remove return once pcscd knows.
    void insert();
    void remove();

    /// order gives the card a command (piv_card/control.h) and returns its answer; std::runtime_error where it says
    /// that it is none. status is one value of that answer: "tries", "apdus", "held", …
    std::string order(const std::string& command) const;
    std::string status(const std::string& name) const;
    unsigned long commands() const { return std::stoul(status("apdus")); }  ///< APDUs so far

    /// tries asks for the PIN's retry counter through the reader; 0 where it is locked.
    unsigned tries() const;

    const std::string& reader() const { return reader_; }  ///< its name
    std::string log() const { return read_file(directory_ + "/log"); }
    /// transmitted are the lines of the log whose instruction is one of two, in hexadecimal.
    std::vector<std::string> transmitted(const std::string& instruction, const std::string& other = {}) const;
    /// pins_sent counts the PINs that it was given, pins_refused those that were wrong.
    int pins_sent() const;
    int pins_refused() const;

  private:
    friend class CardReaders;
    PivCard(const Desk& desk, int number, std::string reader);

    const Desk& desk_;
    int number_;
    std::string reader_;
    std::string directory_;
    std::string serial_;
};

/// CardReaders is pcscd with two virtual readers, and a PIV card for each: what lies between an application and a card
/// but for the module. It is in a network and mount namespace of its own, its files are in the desk's directory, and
/// the desk's environment leads there.
class CardReaders {
  public:
    /// why_not says what keeps it from starting here; "" where nothing does.
    static std::string why_not();

    /// `name` is of the readers: "NAME 00 00" and "NAME 00 01". The desk, which must outlive this, uses OpenSC's module
    /// from now on.
    explicit CardReaders(Desk& desk, const std::string& name = "Virtual PCD");

    PivCard& card(int number = 0) { return *cards_.at(static_cast<std::size_t>(number)); }

    /// stop kills pcscd, and start starts it again.
    void stop();
    void start();
    /// unplug takes the readers away: pcscd runs without any until start.
    void unplug();

    static std::string opensc_module();
    static std::string ykcs11_module();  ///< which looks only at readers whose name begins with "Yubico"

  private:
    Command pcscd(const std::string& readers) const;
    void run(const std::string& readers);  // pcscd, instead of the one before
    std::vector<std::string> inside(const std::vector<std::string>& arguments) const;

    Desk& desk_;
    std::string directory_;
    std::optional<Background> namespaces_;
    std::optional<Background> pcscd_;
    std::vector<std::unique_ptr<PivCard>> cards_;
    std::vector<Background> running_cards_;
};

}  // namespace p11mime::test
