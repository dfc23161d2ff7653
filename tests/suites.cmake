# Writes the ctest commands of a GoogleTest program: one process per suite. Under the sanitizers, starting a process
# takes longer than most tests.
#
#   cmake -D program=FILE -D filter=GOOGLETEST_FILTER -D prefix=TEXT -D suffix=TEXT -D environment=LIST -D output=FILE -P suites.cmake
execute_process(COMMAND ${program} --gtest_list_tests --gtest_filter=${filter} OUTPUT_VARIABLE listing COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE " +#[^\n]*" "" listing "${listing}")  # removes the values of parameters
string(REGEX MATCHALL "[^\n]+" lines "${listing}")
set(script "")
set(suite "")
set(tests "")
foreach(line IN LISTS lines ITEMS "end.")
  if(line MATCHES "^  (.+)$")
    list(APPEND tests ${suite}.${CMAKE_MATCH_1})
  elseif(line MATCHES "^([A-Za-z0-9_/]+)\\.$")
    set(next ${CMAKE_MATCH_1})
    if(tests)
      list(JOIN tests ":" names)
      set(cost 0)
      if(suite MATCHES "Program|Fused|Golden|Resume")
        set(cost 1)  # long tests start first, so that none runs alone at the end
      endif()
      string(APPEND script "add_test([=[${prefix}${suite}${suffix}]=] [=[${program}]=] [=[--gtest_filter=${names}]=])\n"
             "set_tests_properties([=[${prefix}${suite}${suffix}]=] PROPERTIES COST ${cost} TIMEOUT 900 ENVIRONMENT [=[${environment}]=])\n")
    endif()
    set(suite ${next})
    set(tests "")
  endif()
endforeach()
if(NOT script)
  message(FATAL_ERROR "${program} has no test of the filter ${filter}")
endif()
file(WRITE ${output} "${script}")
