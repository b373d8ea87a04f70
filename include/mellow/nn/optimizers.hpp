// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every optimiser. A program that uses one compiles faster with its own header.

#include <mellow/nn/adagrad.hpp>
#include <mellow/nn/adam.hpp>
#include <mellow/nn/adamw.hpp>
#include <mellow/nn/clip.hpp>
#include <mellow/nn/moments.hpp>
#include <mellow/nn/radam.hpp>
#include <mellow/nn/rmsprop.hpp>
#include <mellow/nn/sgd.hpp>
