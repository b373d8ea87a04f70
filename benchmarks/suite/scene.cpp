// SPDX-License-Identifier: Apache-2.0
#include "scene.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <numbers>
#include <utility>

#include <mellow/environments/grid.hpp>

namespace mellow::suite {
namespace {

using tools::Drawing, tools::Shape;

constexpr std::uint32_t ink = 0x333333, faint = 0xAAAAAA, blue = 0x0072B2, orange = 0xD55E00, green = 0x009E73,
                        light = 0xE8E8E8, water = 0x8FBCE6, yellow = 0xE69F00, red = 0xA00000;

Shape line(std::vector<double> x, std::vector<double> y, std::uint32_t color, double width = 2) {
  return {.kind = Shape::Kind::Line, .x = std::move(x), .y = std::move(y), .color = color, .size = width};
}
Shape disc(double x, double y, double radius, std::uint32_t color) {
  return {.kind = Shape::Kind::Disc, .x = {x}, .y = {y}, .color = color, .size = radius};
}
Shape rectangle(double left, double right, double bottom, double top, std::uint32_t color) {
  return {.kind = Shape::Kind::Area, .x = {left, right, right, left}, .y = {bottom, bottom, top, top}, .color = color};
}

/// All within a distance of a segment.
Shape capsule(double x0, double y0, double x1, double y1, double radius, std::uint32_t color) {
  Shape shape{.kind = Shape::Kind::Area, .color = color};
  const double along = std::atan2(y1 - y0, x1 - x0);
  constexpr int corners = 12;  // of each half circle
  for (const bool far : {true, false})
    for (int i = 0; i <= corners; ++i) {
      const double angle = along + std::numbers::pi * ((far ? -0.5 : 0.5) + static_cast<double>(i) / corners);
      shape.x.push_back((far ? x1 : x0) + radius * std::cos(angle));
      shape.y.push_back((far ? y1 : y0) + radius * std::sin(angle));
    }
  return shape;
}

/// A cart on its track; the pole leans to the right where the angle is positive.
Scene cart_pole(double position_limit, double pole) {
  return {.canvas = {{-position_limit - 0.6, position_limit + 0.6}, {-0.3, pole + 0.6}},
          .draw = [=](const Sight& sight) {
            const double x = static_cast<double>(sight.numbers[0]), angle = static_cast<double>(sight.numbers[2]);
            const double top = 0.25;
            Drawing drawing;
            drawing.shapes = {line({-position_limit - 0.6, position_limit + 0.6}, {0, 0}, faint),
                              line({-position_limit, -position_limit}, {-0.15, 0.15}, orange),
                              line({position_limit, position_limit}, {-0.15, 0.15}, orange),
                              rectangle(x - 0.25, x + 0.25, 0.0, top, ink),
                              line({x, x + pole * std::sin(angle)}, {top, top + pole * std::cos(angle)}, blue, 5),
                              disc(x, top, 0.05, orange)};
            return drawing;
          }};
}

/// A car in its valley, y = sin 3x as in Moore's drawing, with a flag at the goal.
Scene mountain_car(double goal) {
  const auto height = [](double x) { return 0.45 * std::sin(3 * x) + 0.55; };
  return {.canvas = {{-1.25, 0.65}, {0.0, 1.3}}, .draw = [=](const Sight& sight) {
            Shape hill = line({}, {}, faint);
            for (int i = 0; i <= 60; ++i) {
              hill.x.push_back(-1.2 + 1.8 * i / 60.0);
              hill.y.push_back(height(hill.x.back()));
            }
            const double x = static_cast<double>(sight.numbers[0]);
            Drawing drawing;
            drawing.shapes = {hill, line({goal, goal}, {height(goal), height(goal) + 0.2}, ink),
                              rectangle(goal, goal + 0.08, height(goal) + 0.14, height(goal) + 0.2, green),
                              disc(x, height(x) + 0.04, 0.04, blue)};
            return drawing;
          }};
}

/// Two links that hang from the origin; the line is what the tip must reach.
Drawing acrobot(const Sight& sight) {
  const auto at = [&](Index i) { return static_cast<double>(sight.numbers[i]); };
  const double first = std::atan2(at(1), at(0)), both = first + std::atan2(at(3), at(2));
  const double x = std::sin(first), y = -std::cos(first);
  Drawing drawing;
  drawing.shapes = {line({-2.2, 2.2}, {1, 1}, green), line({0, x}, {0, y}, blue, 5),
                    line({x, x + std::sin(both)}, {y, y - std::cos(both)}, orange, 5), disc(0, 0, 0.06, ink),
                    disc(x, y, 0.06, ink)};
  return drawing;
}

/// A rod that turns around the origin; it is to stand upright.
Drawing pendulum(const Sight& sight) {
  const double x = -static_cast<double>(sight.numbers[1]), y = static_cast<double>(sight.numbers[0]);
  Drawing drawing;
  drawing.shapes = {line({0, 0}, {0, 1.15}, faint, 1), line({0, x}, {0, y}, orange, 6), disc(0, 0, 0.05, ink),
                    disc(x, y, 0.08, blue)};
  return drawing;
}

/// A walker in the unit square among puddles.
Scene puddles(std::vector<Shape> ground) {
  return {.canvas = {{-0.02, 1.02}, {-0.02, 1.02}}, .draw = [ground = std::move(ground)](const Sight& sight) {
            Drawing drawing;
            drawing.shapes = ground;
            drawing.shapes.push_back(line({0, 1, 1, 0, 0}, {0, 0, 1, 1, 0}, faint));
            drawing.shapes.push_back(
                disc(static_cast<double>(sight.numbers[0]), static_cast<double>(sight.numbers[1]), 0.025, orange));
            return drawing;
          }};
}

std::uint32_t color_of(char cell) {
  switch (cell) {
    case '#':
      return ink;
    case 'H':
      return water;
    case 'C':
      return orange;
    case 'G':
    case 'D':
      return green;
    case 'P':  // a passenger who waits
      return yellow;
    default:
      return light;
  }
}

/// A map of cells; `cells(state)` are its rows as they stand in that state, `place(state)` the row and column of who
/// walks there.
Scene map(std::function<std::vector<std::string>(Index)> cells, std::function<std::pair<Index, Index>(Index)> place) {
  const auto first = cells(0);
  const double rows = static_cast<double>(first.size()), columns = static_cast<double>(first.front().size());
  return {.canvas = {{0, columns}, {0, rows}},
          .draw =
              [=](const Sight& sight) {
                Drawing drawing;
                const auto now = cells(sight.state);
                for (std::size_t r = 0; r < now.size(); ++r)
                  for (std::size_t c = 0; c < now[r].size(); ++c) {
                    const double x = static_cast<double>(c), y = rows - 1 - static_cast<double>(r);
                    drawing.shapes.push_back(rectangle(x + 0.03, x + 0.97, y + 0.03, y + 0.97, color_of(now[r][c])));
                  }
                const auto [row, column] = place(sight.state);
                drawing.shapes.push_back(
                    disc(static_cast<double>(column) + 0.5, rows - 0.5 - static_cast<double>(row), 0.3, blue));
                return drawing;
              },
          .as_map =
              [=](const Sight& sight, bool colored) {
                auto now = cells(sight.state);
                const auto [row, column] = place(sight.state);
                std::string text;
                for (std::size_t r = 0; r < now.size(); ++r) {
                  for (std::size_t c = 0; c < now[r].size(); ++c) {
                    const bool here = static_cast<Index>(r) == row && static_cast<Index>(c) == column;
                    if (here && colored) text += "\x1b[7m@\x1b[0m";
                    else text += here ? '@' : now[r][c];
                    text += c + 1 < now[r].size() ? " " : "";
                  }
                  text += '\n';
                }
                return text;
              }};
}

/// A gridworld, in which a state is a cell; `changed(state, cells)` may change the map by the state.
Scene grid_map(const environments::Grid& grid,
               const std::function<void(Index, std::vector<std::string>&)>& changed = {}) {
  const Index cells = grid.states();
  const auto place = [=](Index state) {
    for (Index row = 0; row < grid.rows(); ++row)
      for (Index column = 0; column < grid.columns(); ++column)
        if (grid.state(row, column) == state % cells) return std::pair(row, column);
    throw Error("scene", "there is no such cell", state);
  };
  return map(
      [=](Index state) {
        std::vector<std::string> rows(static_cast<std::size_t>(grid.rows()));
        for (Index row = 0; row < grid.rows(); ++row)
          for (Index column = 0; column < grid.columns(); ++column) {
            const Index here = grid.state(row, column);
            rows[static_cast<std::size_t>(row)] += here < 0 ? '#' : grid.at(here);
          }
        if (changed) changed(state, rows);
        return rows;
      },
      place);
}

/// The taxi's maze, in which P is a passenger who still waits.
Scene taxi() {
  return grid_map(environments::passenger_taxi_map(), [](Index state, std::vector<std::string>& rows) {
    static const Index cells = environments::passenger_taxi_map().states();
    Index passenger = 0;
    for (std::string& row : rows)
      for (char& cell : row)
        if (cell == 'F') cell = (state / cells >> passenger++ & 1) != 0 ? '.' : 'P';
  });
}

std::uint32_t color_of_channel(std::string_view name) {
  static const std::map<std::string_view, std::uint32_t> colors{
      {"player", blue},          {"paddle", blue},          {"chicken", blue},        {"cannon", blue},
      {"submarine front", blue}, {"submarine back", water}, {"friendly bullet", ink}, {"enemy", orange},
      {"car", orange},           {"alien", orange},         {"fish", orange},         {"enemy submarine", red},
      {"enemy bullet", red},     {"gold", yellow},          {"ball", yellow},         {"diver", yellow},
      {"diver gauge", yellow},   {"brick", green},          {"oxygen gauge", green},
  };
  const auto found = colors.find(name);
  return found == colors.end() ? faint : found->second;  // what tells of motion
}

/// A game of MinAtar: in each cell the first of its channels that is there, but for what tells of motion, which is shown
/// where nothing else is.
template <class Game>
Scene minatar() {
  using environments::minatar::Cells;
  const auto shown = [](const Sight& sight, int cell) {
    std::optional<int> channel;
    for (int c = Game::channels - 1; c >= 0; --c)
      if (sight.numbers[c + Game::channels * cell] == 1.0f)
        if (!channel || color_of_channel(Game::channel_names[static_cast<std::size_t>(c)]) != faint) channel = c;
    return channel;
  };
  const auto color = [](int channel) {
    return color_of_channel(Game::channel_names[static_cast<std::size_t>(channel)]);
  };
  return {.canvas = {{0, Cells::side}, {0, Cells::side}},
          .draw =
              [=](const Sight& sight) {
                Drawing drawing;
                drawing.shapes = {rectangle(0, Cells::side, 0, Cells::side, light)};
                for (int cell = 0; cell < Cells::count; ++cell)
                  if (const auto channel = shown(sight, cell)) {
                    const double x = cell % Cells::side, y = Cells::side - 1 - cell / Cells::side;
                    drawing.shapes.push_back(rectangle(x + 0.03, x + 0.97, y + 0.03, y + 0.97, color(*channel)));
                  }
                return drawing;
              },
          .as_map =
              [=](const Sight& sight, bool colored) {
                std::string text;
                for (int cell = 0; cell < Cells::count; ++cell) {
                  const auto channel = shown(sight, cell);
                  if (colored) {
                    const std::uint32_t c = channel ? color(*channel) : light;
                    text += fmt::format("\x1b[48;2;{};{};{}m  \x1b[0m", c >> 16 & 0xFF, c >> 8 & 0xFF, c & 0xFF);
                  } else {
                    text += channel ? static_cast<char>('0' + *channel) : '.';
                  }
                  if (cell % Cells::side == Cells::side - 1) text += '\n';
                }
                return text;
              }};
}

/// States in a row.
Scene row_of_states(Index states) {
  return map([=](Index) { return std::vector<std::string>{std::string(static_cast<std::size_t>(states), '.')}; },
             [](Index state) { return std::pair<Index, Index>(0, state); });
}

}  // namespace

Scene scene_of(const EnvironmentConfig& config) {
  using namespace environments;
  const std::string_view name = config.entry.name;
  if (name.starts_with("CartPole")) return cart_pole(config.cart_pole.position_limit, 2 * config.cart_pole.half_length);
  if (name == "rounded-cart-pole")
    return cart_pole(CartPoleOptions{}.position_limit, 2 * CartPoleOptions{}.half_length);
  if (name.starts_with("MinAtar/")) {
    std::optional<Scene> scene;
    with_bare_environment(config, [&]<class E>(const E&) {
      if constexpr (requires { E::channel_names; }) scene = minatar<E>();
    });
    return *scene;
  }
  if (name == "MountainCar-v0") return mountain_car(0.5);
  if (name == "MountainCarContinuous-v0") return mountain_car(0.45);
  if (name == "Acrobot-v1") return {.canvas = {{-2.3, 2.3}, {-2.2, 2.2}}, .draw = acrobot};
  if (name == "Pendulum-v1") return {.canvas = {{-1.3, 1.3}, {-1.2, 1.2}}, .draw = pendulum};
  if (name == "FrozenLake-v1") return grid_map(frozen_lake_4x4());
  if (name == "FrozenLake8x8-v1") return grid_map(frozen_lake_8x8());
  if (name == "cliff-walking") return grid_map(cliff_walking_map());
  if (name == "passenger-taxi") return taxi();
  if (name == "chain") return row_of_states(config.states);
  if (name == "counter-example") return row_of_states(1);
  if (name == "puddle-world")
    return puddles({capsule(0.1, 0.75, 0.45, 0.75, PuddleWorld::radius, water),
                    capsule(0.45, 0.4, 0.45, 0.8, PuddleWorld::radius, water),
                    {.kind = Shape::Kind::Area, .x = {0.9, 1, 1}, .y = {1, 0.9, 1}, .color = green}});
  if (name == "rectangle-puddle-world")
    return puddles({rectangle(0.1, 0.55, 0.6, 0.8, water), rectangle(0.3, 0.55, 0.4, 0.6, water),
                    disc(config.goal_x, config.goal_y, RectanglePuddleWorld::goal_radius, green)});
  throw Error("environment", "is listed, but has no scene", name);
}

}  // namespace mellow::suite
