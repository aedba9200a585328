#pragma once

#include <string>
#include <vector>

#include "softhsm-tests/piv_card/virtual_card.h"

namespace p11mime::piv_card {

/// run_command does what a line says and returns one line: "ok …" or "error: …". The commands:
///   status                       all that can be asked, as name=value
///   remove, insert               the card
///   replace DIRECTORY SERIAL     the card becomes another one (while it is outside)
///   remove-at PLACE              it is pulled out before it answers the command there (see parse_place)
///   hold-at PLACE, release       it keeps the answer to the command there back until it is released
///   fail-at PLACE SW [TIMES]     that command and the next so placed (TIMES in all, 1; 0: all) get this status word
///   forget                       nothing that was ordered happens any more
///   tries N, puk-tries N         how many are left
///   slow MILLISECONDS            before each answer
std::string run_command(VirtualCard& card, const std::string& line);

/// ControlSocket is a Unix socket on which whoever connects gives commands, a line each, and gets a line for each.
class ControlSocket {
  public:
    /// Throws std::system_error.
    explicit ControlSocket(const std::string& path);
    ~ControlSocket();
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    /// descriptors are what to wait for; serve deals with one that is readable.
    std::vector<int> descriptors() const;
    void serve(int descriptor, VirtualCard& card);

  private:
    struct Client {
        int socket;
        std::string begun;  // of a line
    };

    std::string path_;
    int listener_ = -1;
    std::vector<Client> clients_;
};

}  // namespace p11mime::piv_card
